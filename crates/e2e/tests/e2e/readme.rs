//! README.md as a newcomer follows it: every command in the order in which it stands, on a clean copy of the repository, and every
//! address that it names.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use e2e::artifacts::{ab, build_components, root};
use e2e::process::Process;
use e2e::response::Response;
use e2e::runtime::{clean_environment, embedded_only};
use reqwest::{Client, Method};
use tempfile::TempDir;

/// How the commands begin that are left out, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("cargo test", "this test is one of those that it runs"),
    ("spin build", "it needs Spin, on which these tests run where AB_E2E_SPIN names it"),
];

/// Where README.md says that the app is; here it is at a free port.
const SITE: &str = "http://127.0.0.1:3000";

/// The copy that the newcomer works in, and what runs there.
struct Newcomer {
    folder: TempDir,
    /// Where `cargo` is one that has everything built already.
    programs: TempDir,
    /// The `export` commands so far.
    exports: Vec<String>,
    app: Option<(Process, String)>,
    client: Client,
}

impl Newcomer {
    fn new() -> Self {
        build_components();
        let this = Self {
            folder: tempfile::Builder::new().prefix("ab-readme-").tempdir().unwrap(),
            programs: tempfile::tempdir().unwrap(),
            exports: Vec::new(),
            app: None,
            client: Client::builder().no_proxy().build().unwrap(),
        };
        copy_repository(this.folder.path());
        let cargo = this.programs.path().join("cargo");
        let ab = ab().display();
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = ab ] || exit 9\n[ \"$2\" = up ] || {{ shift; exec {ab} \"$@\"; }}\n\
             shift 2\nexec {ab} up --no-build \"$@\"\n"
        );
        fs::write(&cargo, script).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        this
    }

    /// A command, as typed into a shell after the exports.
    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        // Placeholders stand where a person puts a value.
        let line = format!("{}\nexec {command}", self.exports.join("\n")).replace('…', "secret");
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        shell.args(["-c", &line]).current_dir(self.folder.path()).env("PATH", path);
        clean_environment(&mut shell);
        shell.env("CARGO", "cargo").env("SPIN_HTTP_LISTEN_ADDR", "127.0.0.1:0");
        shell
    }

    /// Stops the app that runs and restarts it.
    fn up(&mut self, command: &str) {
        self.stop();
        let process = Process::start(command, &mut self.shell(command));
        let site = process.wait_for(|line| Some(format!("http://{}", line.strip_prefix("Serving http://")?)));
        self.app = Some((process, site));
    }

    fn stop(&mut self) {
        if let Some((mut process, _)) = self.app.take() {
            process.signal("INT");
            let status = process.wait();
            assert!(status.success(), "{status}:\n{}", process.output());
        }
    }

    fn run(&self, command: &str) {
        let output = self.shell(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{command}`: {}\n{said}", output.status);
    }

    /// Asks the app for an address that README.md names, or for a path of it.
    async fn ask(&self, method: Method, address: &str, body: Option<&str>) -> Response {
        let (_, site) = self.app.as_ref().unwrap_or_else(|| panic!("no app runs where {address} is asked"));
        let request = self.client.request(method, format!("{site}{}", address.trim_start_matches(SITE)));
        let request = body.into_iter().fold(request, |request, body| request.body(body.to_owned()));
        Response::of(request).await.unwrap()
    }
}

/// Copies what git keeps, as it is now, and the components as they are built.
fn copy_repository(folder: &Path) {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    for name in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (root().join(name), folder.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    // The address of the offline model may be taken on this machine.
    let config = folder.join("runtime-config.toml");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("127.0.0.1:3001", &free)).unwrap();
    fs::create_dir_all(folder.join(".spin")).unwrap();
    for name in ["target", ".spin/compiled"] {
        symlink(root().join(name), folder.join(name)).unwrap();
    }
}

/// The lines of the `sh` blocks.
fn lines(readme: &str) -> impl Iterator<Item = &str> {
    readme.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines())
}

#[tokio::test]
async fn every_command_runs_in_its_order_and_every_address_answers() {
    if !embedded_only("README.md is about `cargo ab`") {
        return;
    }
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut newcomer = Newcomer::new();
    let (mut count, mut asked, mut left_out, mut shown) = (0, 0, BTreeSet::new(), None);
    for line in lines(&readme) {
        let (command, comment) = match line.split_once("# ") {
            Some((command, comment)) => (command.trim(), comment),
            None => (line.trim(), ""),
        };
        count += usize::from(!command.is_empty());
        if let Some((beginning, _)) = LEFT_OUT.iter().find(|(beginning, _)| command.starts_with(beginning)) {
            left_out.insert(*beginning);
        } else if command.starts_with("cargo ab up") {
            newcomer.up(command);
            if command.ends_with(" variants=promptstore1") {
                asked = ask_addresses(&newcomer, &readme).await;
            }
        } else if let Some(call) = command.strip_prefix("curl -s ") {
            let (address, body) = call.split_once(" -d ").unwrap();
            let body = body.trim_matches('\'');
            shown = Some(newcomer.ask(Method::POST, address, Some(body)).await.text().to_owned());
        } else if command.starts_with("export ") {
            newcomer.exports.push(command.to_owned());
        } else if !command.is_empty() {
            newcomer.run(command);
        } else if let Some(answer) = shown.take() {
            // Which variant answers is chance.
            assert_eq!(comment, answer.replace("promptstore2", "promptstore1"));
        }
    }
    newcomer.stop();
    assert!(count > 20, "{count} commands were found");
    assert!(asked > 7, "{asked} addresses were found");
    assert_eq!(left_out.len(), LEFT_OUT.len(), "only these are left out: {left_out:?}");
}

/// Asks for every address of the app that the text names, in full or as a path of the API, and for every request of the API's table
/// with the body that stands there. Says how many there are.
async fn ask_addresses(newcomer: &Newcomer, readme: &str) -> usize {
    let mut requests: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for rest in readme.split(SITE).skip(1) {
        let path = rest.split([')', '>', ' ', '\n', '`']).next().unwrap();
        requests.insert(("GET", path, ""));
    }
    let (_, api) = readme.split_once("\n## API\n").unwrap();
    let api = api.split("\n## ").next().unwrap();
    for code in api.split('`').filter(|code| !code.contains('\n')) {
        let (method, path) = code.split_once(' ').unwrap_or(("GET", code));
        // Nothing in particular is at a path that goes on.
        if path.starts_with("/api/") || path.starts_with("/internal/") && !path.ends_with('…') {
            requests.insert((method, path, ""));
        }
    }
    // The body stands in a code of its own, after that of its path.
    for line in api.lines().filter(|line| line.starts_with("| `POST ")) {
        let mut codes = line.split('`').skip(1).step_by(2);
        let path = codes.next().unwrap().trim_start_matches("POST ");
        requests.insert(("POST", path, codes.next().unwrap()));
    }
    let bodies: BTreeSet<&str> =
        requests.iter().filter(|(.., body)| !body.is_empty()).map(|(_, path, _)| *path).collect();
    requests.retain(|(_, path, body)| !body.is_empty() || !bodies.contains(path));
    // A label is for a sentence that was answered, so that comes first.
    let mut requests: Vec<_> = requests.into_iter().collect();
    requests.sort_by_key(|(_, path, _)| path.contains("feedback"));
    for (method, path, body) in &requests {
        let body = (!body.is_empty()).then_some(*body);
        let response = newcomer.ask(method.parse().unwrap(), path, body).await;
        // The explorer's and the annotators' want credentials.
        let guarded = path.starts_with("/internal/") || path.starts_with("/api/annotations");
        let known = response.status == 200 || response.status == 401 && guarded;
        assert!(known, "{method} {path}: {}\n{}", response.status, response.text());
    }
    requests.len()
}

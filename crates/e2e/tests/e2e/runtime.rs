//! Starting and ending: what a person sees when it does not work.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use e2e::app::{App, FIRST};
use e2e::artifacts;
use e2e::model_server::ModelServer;
use e2e::runtime::{clean_environment, embedded_only};
use insta::assert_snapshot;
use tempfile::TempDir;

const WHY: &str = "it is about the messages and signals of the embedded runtime";

#[tokio::test]
async fn requests_in_flight_finish_when_the_app_is_told_to_end() {
    if !embedded_only(WHY) {
        return;
    }
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    for signal in ["TERM", "INT"] {
        let mut app = App::with_one_variant(&model);
        let hold = model.hold();
        let under_way = app.try_ask("This takes a while.");
        let told_to_end = async {
            model.until_in_flight(1).await;
            app.process().signal(signal);
            // It takes no more requests, but ends the one it has.
            while TcpListener::bind(app.url("").trim_start_matches("http://")).is_err() {
                tokio::task::yield_now().await;
            }
            drop(hold);
        };
        let (response, ()) = tokio::join!(under_way, told_to_end);
        assert_eq!(response.answer().sentiment, "positive", "SIG{signal}");
        assert_eq!(app.wait().code(), Some(0), "SIG{signal}");
        assert_eq!(app.records(FIRST).len(), 1, "SIG{signal}");
    }
}

/// A folder with an app that would start, if a test did not break it.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        artifacts::build_components();
        let folder = tempfile::tempdir().unwrap();
        for name in ["assets", "target"] {
            symlink(artifacts::root().join(name), folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join(".spin")).unwrap();
        symlink(artifacts::root().join(".spin/compiled"), folder.path().join(".spin/compiled")).unwrap();
        let this = Self { folder };
        this.write("spin.toml", &fs::read_to_string(artifacts::root().join("spin.toml")).unwrap());
        this.write(
            "runtime-config.toml",
            "[key_value_store.promptstore1]\ntype = \"spin\"\npath = \"a.db\"\n\n\
             [key_value_store.promptstore2]\ntype = \"spin\"\npath = \"b.db\"\n",
        );
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn replace(&self, name: &str, part: &str, by: &str) -> &Self {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap();
        assert!(text.contains(part), "{name} does not contain {part:?}");
        self.write(name, &text.replacen(part, by, 1));
        self
    }

    /// What `ab up` says, and its exit status. It has to fail: an app that serves would never end.
    fn up(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(artifacts::ab());
        command.args(["up", "--no-build", "--listen", "127.0.0.1:0"]).args(arguments);
        command.current_dir(self.folder.path()).env("CARGO", "cargo");
        clean_environment(&mut command);
        let Output { status, stdout, stderr } = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&stdout), "", "standard output is for data");
        let text =
            String::from_utf8_lossy(&stderr).replace(&self.folder.path().display().to_string(), "[FOLDER]");
        format!("{text}[{status}]")
    }
}

#[test]
fn a_port_in_use() {
    if !embedded_only(WHY) {
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = Sandbox::new().up(&["--listen", &address]).replace(&address, "[ADDRESS]");
    assert_snapshot!(said, @"");
}

#[test]
fn missing_files() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.up(&["--from", "nowhere"]), @"");
    assert_snapshot!(sandbox.up(&["--runtime-config-file", "nowhere.toml"]), @"");
    sandbox.replace("spin.toml", "inference.wasm", "nowhere.wasm");
    assert_snapshot!(sandbox.up(&[]), @"");
}

#[test]
fn malformed_files() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "[application]", "[application");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "ai_models", "models");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "{{ variants }}", "{{ variant }}");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace("runtime-config.toml", "type = \"spin\"", "type = \"sqlite\"");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.write("a.db", "This is no database, but text that is long enough to be told from one.");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "target/wasm32-wasip2/release/inference.wasm", "spin.toml");
    assert_snapshot!(sandbox.up(&[]), @"");
}

#[test]
fn an_unlinked_label_and_what_needs_spin() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.replace("runtime-config.toml", "promptstore2", "promptstore3");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "http://inference.spin.internal", "https://api.example.com");
    assert_snapshot!(sandbox.up(&[]), @"");
    let sandbox = Sandbox::new();
    sandbox.replace(
        "spin.toml",
        "variants = { default = \"promptstore1,promptstore2\" }",
        "variants = { required = true }",
    );
    assert_snapshot!(sandbox.up(&[]), @"");
}

/// What the manifest does not grant is refused, on both runtimes.
#[tokio::test]
async fn a_capability_that_is_not_granted_is_refused() {
    let model = ModelServer::start().unwrap();
    let component = "target/wasm32-wasip2/release/sentiment_analysis.wasm\"\nkey_value_stores = ";
    let app = App::builder()
        .model(&model)
        .manifest(
            &format!("{component}[\"promptstore1\", \"promptstore2\"]"),
            &format!("{component}[\"promptstore1\"]"),
        )
        .variable("variants", "promptstore2")
        .start();
    // Without its store the variant still answers, with the default prompt, but keeps nothing.
    assert!(!app.ask("Hm.").await.cached);
    assert!(model.requests()[0].prompt.contains("You are a bot that generates"));
    assert_eq!(app.records("promptstore2").len(), 0);
    let variants = app.get("/api/variants").await.json();
    assert!(variants["variants"][0]["error"].is_string(), "{variants}");

    let app = App::builder()
        .model(&model)
        .manifest(
            "allowed_outbound_hosts = [\"http://inference.spin.internal\"]",
            "allowed_outbound_hosts = []",
        )
        .start();
    app.try_ask("Hm.").await.problem(502);
    assert_eq!(model.requests().len(), 1);
}

/// A private component is for the app's other components alone.
#[tokio::test]
async fn a_private_component_has_no_address() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    for host in ["inference.spin.internal", "localhost"] {
        let mut connection = app.connect();
        connection.send(format!("POST /infer HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}"));
        let (status, _) = connection.head();
        assert!(matches!(status, 404 | 405), "{status} at {host}");
    }
    assert_eq!(model.requests(), []);
}

#[test]
fn the_console_names_the_component_and_keeps_sentences_to_itself() {
    let model = ModelServer::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = App::with_one_variant(&model);
    runtime.block_on(app.ask("A sentence that nobody else should read."));
    app.process().wait_for(|line| {
        let event = &line[line.find("{\"event\":\"sentiment\"")?..];
        Some(assert!(line.contains("sentiment-analysis") || event == line, "{line}"))
    });
    assert!(!app.process().output().contains("nobody else"));
    let log = fs::read_to_string(app.log("sentiment-analysis", "stdout")).unwrap();
    let event: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!((&event["status"], &event["cached"]), (&200.into(), &false.into()));
}

//! Starting: what a person sees when it does not work.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use e2e::artifacts;
use e2e::runtime::{clean_environment, embedded_only};
use insta::assert_snapshot;
use tempfile::TempDir;

/// An app of three components, each of another kind.
const MANIFEST: &str = r#"spin_manifest_version = 2

[application]
name = "sentiment-analysis-ab-test"

[variables]
variants = { default = "promptstore1,promptstore2" }

[[trigger.http]]
route = "/api/..."
component = "sentiment-analysis"

[component.sentiment-analysis]
source = "target/wasm32-wasip2/release/sentiment_analysis.wasm"
key_value_stores = ["promptstore1", "promptstore2"]
allowed_outbound_hosts = ["http://inference.spin.internal"]
variables = { variants = "{{ variants }}" }

[[trigger.http]]
route = { private = true }
component = "inference"

[component.inference]
source = "target/wasm32-wasip2/release/inference.wasm"
ai_models = ["llama2-chat"]

[[trigger.http]]
route = "/..."
component = "ui"

[component.ui]
source = "target/wasm32-wasip2/release/ui.wasm"
files = [{ source = "assets", destination = "/" }]
"#;

const WHY: &str = "these are the messages of the embedded runtime";

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
        this.write("spin.toml", MANIFEST);
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
        command.args(["up", "--no-build"]).args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
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
    assert_snapshot!(said, @"
    error: [ADDRESS] is in use by another program
    hint: stop it, or choose another address with --listen; port 0 takes a free one
    [exit status: 1]
    ");
}

#[test]
fn missing_files() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.up(&["--from", "nowhere"]), @"
    error: there is no manifest at nowhere
    hint: --from takes a spin.toml, or the folder that holds one
    [exit status: 1]
    ");
    assert_snapshot!(sandbox.up(&["--runtime-config-file", "nowhere.toml"]), @"
    error: there is no runtime config at nowhere.toml
    hint: --runtime-config-file takes a file such as the runtime-config.toml beside spin.toml
    [exit status: 1]
    ");
    sandbox.replace("spin.toml", "inference.wasm", "nowhere.wasm");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: the component "inference" is not built: there is no [FOLDER]/target/wasm32-wasip2/release/nowhere.wasm
    hint: build the app first: `cargo ab build` or `spin build`
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "source = \"assets\"", "source = \"nowhere\"");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: component "ui": the folder [FOLDER]/nowhere in files does not exist
    hint: make the folder, or correct the component's `files` in the manifest
    [exit status: 1]
    "#);
}

#[test]
fn a_malformed_manifest() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "[application]", "[application");
    assert_snapshot!(sandbox.up(&[]), @"
    error: [FOLDER]/spin.toml:3: unclosed table, expected `]`
    hint: correct it as described in Spin's manifest reference
    [exit status: 1]
    ");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "spin_manifest_version = 2", "spin_manifest_version = 2\nname = \"a\"");
    assert_snapshot!(sandbox.up(&[]), @"
    error: [FOLDER]/spin.toml:2: unknown key `name`, expected one of `spin_manifest_version`, `application`, `variables`, `trigger`, `component`
    hint: correct it as described in Spin's manifest reference
    [exit status: 1]
    ");
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "component = \"ui\"", "component = \"iu\"");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: [FOLDER]/spin.toml:27: the route "/..." leads to the component "iu", which does not exist
    hint: add [component.iu], or name one of sentiment-analysis, inference, ui
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "{{ variants }}", "{{ variant }}");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: the variable "variants" of the component "sentiment-analysis": invalid variable template: unknown variable "variant"
    hint: declare variant under [variables]
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "target/wasm32-wasip2/release/inference.wasm", "spin.toml");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: [FOLDER]/spin.toml of the component "inference" is not a WebAssembly component: failed to parse WebAssembly module
    hint: build it again; `source` in the manifest names the file
    [exit status: 1]
    "#);
}

#[test]
fn a_malformed_runtime_config() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.replace("runtime-config.toml", "[key_value_store.promptstore1]", "[key_value_store");
    assert_snapshot!(sandbox.up(&[]), @"
    error: [FOLDER]/runtime-config.toml:1: unclosed table, expected `]`
    hint: correct it as described in Spin's runtime configuration reference
    [exit status: 1]
    ");
    let sandbox = Sandbox::new();
    sandbox.replace("runtime-config.toml", "type = \"spin\"", "type = \"sqlite\"");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: [FOLDER]/runtime-config.toml:2: [key_value_store.promptstore1] has the type "sqlite"; it must be "spin", "redis", "azure_cosmos" or "aws_dynamo"
    hint: correct it as described in Spin's runtime configuration reference
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.write("a.db", "This is no database, but text that is long enough to be told from one.");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: cannot open the store linked to the label "promptstore1": the store [FOLDER]/a.db is not an SQLite database, or it is encrypted
    hint: choose another file; one that does not exist yet becomes an empty store
    [exit status: 1]
    "#);
}

#[test]
fn what_is_missing_from_a_configuration_and_what_needs_spin() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.replace("runtime-config.toml", "promptstore2", "promptstore3");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: app "sentiment-analysis-ab-test" accesses a key value store labeled "promptstore2", which is not linked
    hint: `cargo ab link key-value promptstore2 --app sentiment-analysis-ab-test --store STORE`; `cargo ab kv list` shows the stores
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    let default = "variants = { default = \"promptstore1,promptstore2\" }";
    sandbox.replace("spin.toml", default, "variants = { required = true }");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: no provider resolved required variable(s): [Key("variants")]
    hint: give --variable variants=VALUE, or set it in the environment, as SPIN_VARIABLE_VARIANTS
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.replace("spin.toml", "http://inference.spin.internal", "postgres://db.example.com");
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: component "sentiment-analysis": the outbound host "postgres://db.example.com" needs Spin
    hint: run this app with `spin up`, or remove the host
    [exit status: 1]
    "#);
    let sandbox = Sandbox::new();
    sandbox.write(
        "runtime-config.toml",
        "[llm_compute]\ntype = \"spin\"\n\n[key_value_store.promptstore1]\ntype = \"spin\"\npath = \"a.db\"\n\n\
         [key_value_store.promptstore2]\ntype = \"spin\"\npath = \"b.db\"\n",
    );
    assert_snapshot!(sandbox.up(&[]), @r#"
    error: [FOLDER]/runtime-config.toml:2: [llm_compute] with the type "spin": a local model needs Spin
    hint: run this app with `spin up`, or remove it
    [exit status: 1]
    "#);
}

#[test]
fn variables_that_the_app_cannot_work_with() {
    if !embedded_only(WHY) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("spin.toml", &fs::read_to_string(artifacts::root().join("spin.toml")).unwrap());
    // Before it listens: a port in use would be told first otherwise.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let up = |variables: &[&str]| {
        let variables = variables.iter().flat_map(|variable| ["--variable", variable]);
        sandbox.up(&["--listen", &address].into_iter().chain(variables).collect::<Vec<_>>())
    };
    assert_snapshot!(up(&["assignment=vistor"]), @"
    error: the variable `assignment` cannot be used: `vistor` is not a way to assign variants; use `random` or `visitor`
    hint: set it in spin.toml, with `--variable assignment=…` or with SPIN_VARIABLE_ASSIGNMENT
    [exit status: 1]
    ");
    assert_snapshot!(up(&["temperature=hot"]), @"
    error: the variable `temperature` cannot be used: `hot` is not a number from 0 to 2
    hint: set it in spin.toml, with `--variable temperature=…` or with SPIN_VARIABLE_TEMPERATURE
    [exit status: 1]
    ");
    assert_snapshot!(up(&["max_tokens=0"]), @"
    error: the variable `max_tokens` cannot be used: `0` is not a whole number from 1 to 32768
    hint: set it in spin.toml, with `--variable max_tokens=…` or with SPIN_VARIABLE_MAX_TOKENS
    [exit status: 1]
    ");
    assert_snapshot!(up(&["model_timeout=30s"]), @"
    error: the variable `model_timeout` cannot be used: `30s` is not a number of seconds from 0.001 to 3600
    hint: set it in spin.toml, with `--variable model_timeout=…` or with SPIN_VARIABLE_MODEL_TIMEOUT
    [exit status: 1]
    ");
    assert_snapshot!(up(&["variants=a=1.5"]), @"
    error: the variable `variants` cannot be used: the weight in `a=1.5` is not a whole number from 1 to 4294967295; leave the weight out for 1, and the label out for no requests
    hint: set it in spin.toml, with `--variable variants=…` or with SPIN_VARIABLE_VARIANTS
    [exit status: 1]
    ");
    assert_snapshot!(up(&["variants=promptstore1,promptstore3"]), @"
    error: the variable `variants` cannot be used: `promptstore3` is not one of the app's labels, promptstore1, promptstore2; a new label must be added to `key_value_stores` in spin.toml
    hint: set it in spin.toml, with `--variable variants=…` or with SPIN_VARIABLE_VARIANTS
    [exit status: 1]
    ");

    // Neither may a real model answer under the offline model's name, nor that one under another.
    assert_snapshot!(up(&["model_server=http://127.0.0.1:9"]), @"
    error: a real model would answer under the name of the offline model, `offline-model`
    hint: give the real model's name in the variable `model`, as with `--variable model=llama3.2`
    [exit status: 1]
    ");
    let links = fs::read_to_string(sandbox.folder.path().join("runtime-config.toml")).unwrap();
    let model = "[llm_compute]\ntype = \"remote_http\"\nurl = \"http://127.0.0.1:9\"\n";
    sandbox.write("runtime-config.toml", &format!("{model}auth_token = \"a-real-token\"\n{links}"));
    assert!(up(&[]).starts_with("error: a real model would answer under the name of the offline model"));
    sandbox.write("runtime-config.toml", &format!("{model}auth_token = \"offline-model\"\n{links}"));
    assert_snapshot!(up(&["model=llama3.2"]), @"
    error: the offline model would answer under the name of another model, `llama3.2`
    hint: name the server of `llama3.2` in the variable `model_server` or in [llm_compute] of the runtime config; the offline model is called `offline-model`
    [exit status: 1]
    ");
}

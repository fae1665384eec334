//! The tests' own app, or that of the repository, run by the embedded runtime with telemetry, in a process of its own: this program, started again.

use std::env;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use e2e::artifacts;
use e2e::process::Process;
use host::observer::Observer;
use host::{App as HostApp, Settings};
use reqwest::RequestBuilder;
use spin_app::{Manifest, RuntimeConfig};
use telemetry::Telemetry;

/// The folder of the app to serve, and its runtime config.
const APP: &str = "TELEMETRY_TEST_APP";
const CONFIG: &str = "TELEMETRY_TEST_CONFIG";

/// The app in its process, which ends with this value.
pub(crate) struct App {
    process: Process,
    address: SocketAddr,
    client: reqwest::Client,
}

impl App {
    /// Starts the tests' own app with these variables in its environment and none other of OpenTelemetry's.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        Self::serving(start(environment))
    }

    /// Starts the repository's app, with one variant, with this runtime config.
    pub(crate) fn start_with_config(config: &Path, environment: &[(&str, &str)]) -> Self {
        artifacts::build_components();
        let mut command = command(artifacts::root(), environment);
        Self::serving(Process::start("the app", command.env(CONFIG, config)))
    }

    fn serving(process: Process) -> Self {
        let address = process.wait_for(|line| line.strip_prefix("Serving ")?.parse().ok());
        Self { process, address, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub(crate) fn post(&self, path: &str, json: &'static str) -> RequestBuilder {
        let request = self.client.post(format!("http://{}{path}", self.address));
        request.header("content-type", "application/json").body(json)
    }

    /// What `find` finds in a line that the app prints.
    pub(crate) fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        self.process.wait_for(find)
    }

    /// Tells the app to end, and waits for it.
    pub(crate) fn stop(&mut self) {
        self.process.signal("TERM");
        assert!(self.process.wait().success(), "{}", self.process.output());
    }
}

/// What the app prints that does not start with this environment.
pub(crate) fn refused(environment: &[(&str, &str)]) -> String {
    let mut process = start(environment);
    assert!(!process.wait().success());
    process.output()
}

fn start(environment: &[(&str, &str)]) -> Process {
    Process::start("the app", &mut command(artifacts::forwarder(), environment))
}

fn command(app: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "served", "--nocapture"]).env(APP, app);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
    }
    command.envs(environment.iter().copied());
    command
}

/// Serves the app that the environment names until it is told to stop.
pub(crate) fn serve() {
    let folder = env::var_os(APP).unwrap();
    let manifest = Manifest::load(&Path::new(&folder).join("spin.toml")).unwrap();
    let config = match env::var_os(CONFIG) {
        Some(path) => RuntimeConfig::load(Path::new(&path)).unwrap(),
        None => RuntimeConfig::parse(String::new(), Path::new("runtime-config.toml")).unwrap(),
    };
    let telemetry = Telemetry::from_environment().unwrap_or_else(|error| panic!("{error}"));
    let mut variables = spin_app::variables::Providers::default();
    for (name, value) in [("granted", "http://*:*"), ("variants", "promptstore1"), ("shadow", "0")] {
        variables.give(name, value.to_owned());
    }
    let settings = Settings {
        variables,
        quiet: true,
        observer: telemetry.clone().map(|telemetry| telemetry as Arc<dyn Observer>),
        ..Settings::default()
    };
    let app = HostApp::load(manifest, config, &settings, host_wasi::add_to_linker).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("Serving {}", listener.local_addr().unwrap());
    app.serve(listener, async {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).unwrap().recv().await;
    })
    .unwrap();
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
}

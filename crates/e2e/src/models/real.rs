//! Real model servers, as `crates/e2e/real-model/serve.py` runs them.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::LazyLock;

use super::Wanted;
use crate::app::MODEL;
use crate::artifacts;
use crate::process::Process;

/// llama.cpp's own server.
pub(super) const LLAMA_SERVER: &str = "llama-server";

/// The server of llama-cpp-python.
pub(super) const LLAMA_CPP_PYTHON: &str = "llama-cpp-python";

/// The servers that can be started.
pub(super) fn kinds() -> &'static [String] {
    static KINDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let Some(mut list) = script() else { return Vec::new() };
        let output =
            list.arg("--list").output().unwrap_or_else(|error| panic!("cannot run {list:?}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    });
    &KINDS
}

/// Whether this server can be so.
pub(super) fn can_be(kind: &str, wanted: Wanted) -> bool {
    wanted.path.is_none() || kind == LLAMA_SERVER
}

/// Starts a server, on a free port unless there is an address, and gives its own.
pub(super) fn start(kind: &str, wanted: Wanted, address: Option<SocketAddr>) -> (Process, String) {
    let mut command = script().unwrap();
    command.args(["--server", kind, "--model-name", MODEL]);
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            command.args([name, &value]);
        }
    };
    option("--port", address.map(|address| address.port().to_string()));
    option("--api-key", wanted.token.map(str::to_owned));
    option("--path", wanted.path.map(str::to_owned));
    let slow = wanted.slow.then_some(16384);
    option("--context", wanted.context.or(slow).map(|tokens| tokens.to_string()));
    if wanted.slow {
        command.arg("--slow");
    }
    let process = Process::start(kind, &mut command);
    let url = process.wait_for(|line| line.strip_prefix("AB_E2E_MODEL_SERVER=").map(str::to_owned));
    (process, url)
}

/// The script that runs servers; `None` where no Python is named for it.
fn script() -> Option<Command> {
    let python = env::var_os("AB_E2E_MODEL_PYTHON")?;
    // Tests run in their package's folder, and people name things from where they are.
    let mut command = Command::new(artifacts::root().join(python));
    command.arg(artifacts::root().join("crates/e2e/real-model/serve.py"));
    Some(command)
}

//! What runs the app.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::artifacts;
use crate::process::Process;

/// What runs the app under test.
#[derive(Debug)]
pub enum Runtime {
    /// `ab up`.
    Embedded,
    /// `spin up`, with the program at this path.
    Spin(PathBuf),
}

/// The runtime of this run of the tests: Spin where `AB_E2E_SPIN` names its program.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| match env::var_os("AB_E2E_SPIN") {
        Some(path) => Runtime::Spin(path.into()),
        None => Runtime::Embedded,
    });
    &RUNTIME
}

/// Whether Spin runs the app.
pub fn is_spin() -> bool {
    matches!(runtime(), Runtime::Spin(_))
}

/// Whether to go on with a test of what only the embedded runtime has. On Spin it says why the test is left out.
#[must_use = "a test that is for the embedded runtime only returns where this is false"]
pub fn embedded_only(reason: &str) -> bool {
    if is_spin() {
        eprintln!("left out on Spin: {reason}");
    }
    !is_spin()
}

/// How an app is to be run. Both runtimes take the same options.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// Where it is started.
    pub(crate) folder: &'a Path,
    pub(crate) manifest: &'a Path,
    pub(crate) runtime_config: &'a Path,
    pub(crate) log_folder: &'a Path,
    pub(crate) state_folder: &'a Path,
    pub(crate) variables: &'a [(String, String)],
    pub(crate) environment: &'a [(String, String)],
}

impl Launch<'_> {
    /// Starts the app on a free port, which it announces.
    pub(crate) fn start(&self) -> Process {
        let mut command = match runtime() {
            Runtime::Embedded => {
                let mut command = Command::new(artifacts::ab());
                command.args(["up", "--no-build"]);
                command
            }
            Runtime::Spin(program) => {
                let mut command = Command::new(program);
                command.arg("up").arg("--state-dir").arg(self.state_folder);
                command
            }
        };
        command.arg("--from").arg(self.manifest);
        command.arg("--runtime-config-file").arg(self.runtime_config);
        command.arg("--log-dir").arg(self.log_folder);
        command.args(["--listen", "127.0.0.1:0"]);
        for (name, value) in self.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        command.current_dir(self.folder);
        clean_environment(&mut command);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let process = Process::start("the app", &mut command);
        // `spin up` runs the trigger as a process of its own.
        if matches!(runtime(), Runtime::Spin(_)) { process.with_children() } else { process }
    }
}

/// Takes what a person may have set for an app of theirs out of the environment of a command.
pub fn clean_environment(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let is_variable = name.to_str().is_some_and(|name| name.starts_with("SPIN_"));
        if is_variable || name == "RUNTIME_CONFIG_FILE" || name == "CLICOLOR_FORCE" {
            command.env_remove(name);
        }
    }
}

//! An app's folder to run commands in, and what the commands said.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) const APP: &str = "sentiment-analysis-ab-test";

/// A folder of its own, with an app in it.
pub(crate) struct Sandbox {
    folder: TempDir,
    /// Texts that differ from run to run, and what stands for them.
    redacted: Vec<(String, &'static str)>,
}

impl Sandbox {
    /// An app whose one component may open these labels.
    pub(crate) fn new(labels: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("ab-test-").tempdir().unwrap();
        let sandbox = Self { redacted: vec![(folder.path().display().to_string(), "[FOLDER]")], folder };
        sandbox.app(".", APP, labels);
        sandbox
    }

    /// Another app, in a folder below.
    pub(crate) fn app(&self, folder: &str, name: &str, labels: &[&str]) {
        let manifest = format!(
            "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n[component.api]\nsource = \"api.wasm\"\n\
             key_value_stores = {labels:?}\n"
        );
        self.write(&format!("{folder}/spin.toml"), manifest);
    }

    pub(crate) fn redact(&mut self, text: impl Into<String>, by: &'static str) {
        self.redacted.push((text.into(), by));
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The command, not yet run. It knows nothing of the environment that could matter.
    pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ab"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SPIN_BIN_PATH")
            .env_remove("RUNTIME_CONFIG_FILE")
            .env_remove("CLICOLOR_FORCE")
            .env("CARGO", "cargo")
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of words.
    pub(crate) fn ab(&self, line: &str) -> Run {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Run {
        Run { output: self.command(arguments).output().unwrap(), redacted: self.redacted.clone() }
    }

    /// Runs a line of words with this on standard input.
    pub(crate) fn ab_with_input(&self, line: &str, input: &[u8]) -> Run {
        let mut command = self.command(&line.split_whitespace().collect::<Vec<_>>());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Run { output: child.wait_with_output().unwrap(), redacted: self.redacted.clone() }
    }

    /// Runs the lines one after the other and tells what a person at a terminal would have seen.
    pub(crate) fn session(&self, lines: &[&str]) -> String {
        let transcript = |line: &&str| {
            let run = self.ab(line);
            format!("$ cargo ab {}\n{}", run.redact(line.as_bytes()), run.seen())
        };
        lines.iter().map(transcript).collect()
    }

    /// The file of a named store.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.path(&format!(".spin/stores/{name}.db"))
    }
}

/// All rows of a store file, as Spin would see them.
pub(crate) fn rows(path: &Path) -> Vec<(String, String, Vec<u8>)> {
    let connection = Connection::open(path).unwrap();
    let mut select =
        connection.prepare("SELECT store, key, value FROM spin_key_value ORDER BY 1, 2").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// What an app that opens the file under `label` reads.
pub(crate) fn app_reads(path: &Path, label: &str) -> Vec<(String, Vec<u8>)> {
    let rows = rows(path).into_iter().filter(|(store, ..)| store == label);
    rows.map(|(_, key, value)| (key, value)).collect()
}

/// What a command did.
pub(crate) struct Run {
    output: Output,
    redacted: Vec<(String, &'static str)>,
}

impl Run {
    /// All that it printed, and its exit status unless that is 0.
    pub(crate) fn seen(&self) -> String {
        let mut seen = self.output_text() + &self.messages();
        if !seen.is_empty() && !seen.ends_with('\n') {
            seen.push('\n');
        }
        if !self.output.status.success() {
            writeln!(seen, "[{}]", self.output.status).unwrap();
        }
        seen
    }

    /// Standard output.
    pub(crate) fn output_text(&self) -> String {
        self.redact(&self.output.stdout)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.output.stdout
    }

    /// Standard error.
    pub(crate) fn messages(&self) -> String {
        self.redact(&self.output.stderr)
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.output.status.success()
    }

    /// Stops the test unless the command succeeded.
    pub(crate) fn ok(self) -> Self {
        assert!(self.succeeded(), "{}", self.seen());
        self
    }

    fn redact(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.redacted.iter().fold(text, |text, (unstable, by)| text.replace(unstable, by))
    }
}

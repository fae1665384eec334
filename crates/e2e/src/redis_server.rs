//! A Redis server for one test.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;
use crate::tool;

/// A server of one's own, gone with this value.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    /// Where it listens, on the loopback address.
    pub port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

/// Arguments with which what was acknowledged outlives the server.
pub const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

impl RedisServer {
    /// Starts with these further arguments on a free port; `None` where Redis is not installed.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        tool::find(&["redis-server"])?;
        // Redis cannot choose a port itself, and somebody else may take a free one first: then another one.
        (0..10).find_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            Self::start_on(port, arguments)
        })
    }

    /// Starts on a port; `None` if somebody else has it.
    pub fn start_on(port: u16, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let process = run(port, folder.path(), &arguments)?;
        Some(Self { process, port, folder, arguments })
    }

    /// Kills the server with `SIGKILL`.
    pub fn kill(&mut self) {
        self.process.signal("KILL");
        self.process.wait();
    }

    /// Starts a server that was killed, on the same port and with the files that it left.
    pub fn start_again(&mut self) {
        self.process = run(self.port, self.folder.path(), &self.arguments).expect("the port is free");
    }

    /// The address of one of its databases.
    pub fn url(&self, database: u8) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }
}

/// A server that is ready; `None` if somebody else has the port.
fn run(port: u16, folder: &Path, arguments: &[String]) -> Option<Process> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", ""]);
    if !arguments.iter().any(|argument| argument == "--appendonly") {
        command.args(["--appendonly", "no"]);
    }
    command.arg("--port").arg(port.to_string()).arg("--dir").arg(folder).args(arguments);
    let process = Process::start("redis-server", &mut command);
    let ready = process.wait_for(|line| {
        let ready = line.contains("Ready to accept connections");
        (ready || line.contains("bind: Address already in use")).then_some(ready)
    });
    ready.then_some(process)
}

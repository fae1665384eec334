//! A Redis server for one test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;
use crate::tool;

/// A server of one's own, gone with this value.
#[derive(Debug)]
pub struct RedisServer {
    /// `None` while it is killed.
    process: Option<Process>,
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
        (0..10).find_map(|_| Self::start_on(free_port(), arguments))
    }

    /// Starts on a port; `None` if somebody else has it.
    pub fn start_on(port: u16, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let process = launch(port, folder.path(), &arguments)?;
        Some(Self { process: Some(process), port, folder, arguments })
    }

    /// Ends it without a warning.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was, with what it had kept on disk, and these arguments beside the first ones.
    pub fn start_again(&mut self, more: &[&str]) {
        self.kill();
        let more = more.iter().map(|&argument| argument.to_owned());
        let arguments: Vec<String> = self.arguments.iter().cloned().chain(more).collect();
        self.process = launch(self.port, self.folder.path(), &arguments);
        assert!(self.process.is_some(), "another process took the port {}", self.port);
    }

    /// What it answers to a command without spaces in its arguments, as it is sent.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Watches every command from now on.
    pub fn monitor(&self) -> Monitor<'_> {
        let mut lines = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        lines.get_mut().write_all(b"MONITOR\r\n").unwrap();
        let mut answer = String::new();
        lines.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), "+OK");
        Monitor { server: self, lines }
    }

    /// The address of one of its databases.
    pub fn url(&self, database: u8) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }
}

/// Sees the commands that a server carries out.
#[derive(Debug)]
pub struct Monitor<'s> {
    server: &'s RedisServer,
    lines: BufReader<TcpStream>,
}

impl Monitor<'_> {
    /// The commands so far that clients sent, each with its arguments as Redis shows them.
    pub fn commands(self) -> Vec<Vec<String>> {
        self.server.ask("ECHO the-end");
        let lines = self.lines.lines().map(Result::unwrap);
        let commands = lines.filter_map(|line| {
            // As in `+1700000000.123456 [0 127.0.0.1:50000] "GET" "a key"`; what a script does comes from `lua`.
            let (from, command) = line.split_once("] ")?;
            let words = command.trim_start_matches('"').trim_end_matches('"').split("\" \"");
            (!from.ends_with("lua")).then(|| words.map(str::to_owned).collect::<Vec<_>>())
        });
        commands.take_while(|command| *command != ["ECHO", "the-end"]).collect()
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server that is ready; `None` if somebody else has the port.
fn launch(port: u16, folder: &Path, arguments: &[String]) -> Option<Process> {
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

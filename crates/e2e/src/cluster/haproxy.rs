//! `HAProxy`: requests go to the nodes in turn; connections to Redis go to the server that says it is the primary one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Process, until};
use crate::redis_server::free_port;
use crate::runtime::is_spin;
use crate::tool;

/// The most nodes.
pub const SLOTS: usize = 4;

/// A running `HAProxy`.
#[derive(Debug)]
pub struct HaProxy {
    process: Process,
    folder: TempDir,
    /// Where it takes requests for the app.
    pub port: u16,
    /// Where it takes connections for Redis.
    pub redis_port: u16,
}

impl HaProxy {
    /// Starts in front of two Redis servers at these ports, and of no nodes yet; `None` where it is not installed.
    pub fn start(redis: [u16; 2]) -> Option<Self> {
        let program = tool::find(&["haproxy"]).or_else(|| {
            // Debian puts it where only an administrator's shell looks.
            Some(PathBuf::from("/usr/sbin/haproxy")).filter(|path| path.is_file())
        })?;
        (0..10).find_map(|_| Self::start_on(&program, [free_port(), free_port()], redis))
    }

    /// `None` if somebody else has one of the ports.
    fn start_on(program: &Path, [port, redis_port]: [u16; 2], redis: [u16; 2]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("ab-haproxy-").tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration(folder.path(), port, redis_port, redis)).unwrap();
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&file);
        let haproxy = Self { process: Process::start("haproxy", &mut command), folder, port, redis_port };
        let is_taken = || haproxy.process.output().contains("cannot bind socket");
        let answers = || UnixStream::connect(haproxy.socket()).is_ok();
        until("HAProxy takes commands", || answers() || is_taken());
        (!is_taken()).then_some(haproxy)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    /// What it answers to an administrator's command.
    pub fn command(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Deals requests to the node at `address` from now on.
    pub fn lead(&self, slot: usize, address: SocketAddr) {
        let server = format!("nodes/n{}", slot + 1);
        self.command(&format!("set server {server} addr {} port {}", address.ip(), address.port()));
        self.command(&format!("set server {server} state ready"));
        self.wait_for("nodes", &format!("n{}", slot + 1), "UP");
    }

    /// Deals no more requests to a node, and waits until it has answered those it has.
    pub fn drain(&self, slot: usize) {
        let name = format!("n{}", slot + 1);
        self.command(&format!("set server nodes/{name} state drain"));
        until("a node has answered everything", || self.statistic("nodes", &name, 4) == "0");
        self.command(&format!("set server nodes/{name} state maint"));
    }

    /// Waits until a server is in this state: `UP`, `DOWN`, `MAINT`.
    pub fn wait_for(&self, backend: &str, server: &str, state: &str) {
        until(&format!("{backend}/{server} is {state}"), || {
            // In the midst of a change it says `UP 1/2`.
            self.statistic(backend, server, 17) == state
        });
    }

    /// A column of its statistics.
    fn statistic(&self, backend: &str, server: &str, column: usize) -> String {
        let statistics = self.command("show stat");
        let row = statistics.lines().find(|line| line.starts_with(&format!("{backend},{server},")));
        row.and_then(|row| row.split(',').nth(column)).unwrap_or_default().to_owned()
    }
}

fn configuration(folder: &Path, port: u16, redis_port: u16, [primary, replica]: [u16; 2]) -> String {
    let folder = folder.display();
    // As in `deploy/app.yaml`: a node of Spin that is cut off from its stores waits for them, and everybody for it.
    let (path, patience) = if is_spin() { ("/api/variants", 3) } else { ("/.well-known/spin/health", 1) };
    format!(
        "global
    stats socket {folder}/admin.sock mode 600 level admin
    maxconn 2000
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 1s
    option redispatch
    retries 3
frontend app
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk
    http-check send meth GET uri {path} ver HTTP/1.1 hdr host localhost
    timeout check {patience}s
    retry-on conn-failure
    default-server check inter 250ms fall 2 rise 1
    server-template n 1-{SLOTS} 127.0.0.1:1 disabled
listen redis
    mode tcp
    bind 127.0.0.1:{redis_port}
    timeout client 1h
    timeout server 1h
    option tcp-check
    tcp-check connect
    tcp-check send info\\ replication\\r\\n
    tcp-check expect string role:master
    default-server check inter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
    server primary 127.0.0.1:{primary}
    server replica 127.0.0.1:{replica}
"
    )
}

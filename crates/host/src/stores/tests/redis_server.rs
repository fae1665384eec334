//! A real Redis server for a test, on a port of its own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::stores::Store;

/// Ends with the test.
pub(super) struct RedisServer {
    pub(super) port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl RedisServer {
    /// Starts a server with these further arguments. `None`, with a notice, where there is no Redis; but not in CI,
    /// where a test that is left out would go unnoticed.
    pub(super) fn start(arguments: &[&str]) -> Option<Self> {
        // Redis takes no port 0: a free one is looked for, and another process may be quicker to take it.
        (0..20).find_map(|_| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            match Self::start_on(port, arguments) {
                Ok(server) => server.map(Some),
                Err(error) if std::env::var_os("CI").is_some() => panic!("redis-server: {error}"),
                Err(error) => {
                    eprintln!("not tested, for there is no redis-server: {error}");
                    Some(None)
                }
            }
        })?
    }

    /// `None` if the port is taken.
    pub(super) fn start_on(port: u16, arguments: &[&str]) -> std::io::Result<Option<Self>> {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        let server = Self { port, process, _folder: folder };
        Ok(ready.then_some(server))
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn store(&self) -> Store {
        Store::redis(&self.url()).unwrap()
    }
}

/// Sends one command over a connection of its own.
pub(super) fn command(url: &str, arguments: &[&[u8]]) {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut command = redis::Cmd::new();
    for argument in arguments {
        command.arg(argument);
    }
    command.exec(&mut connection).unwrap();
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

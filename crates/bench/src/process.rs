//! A server as a process of its own, and what the kernel says about it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// When it was started.
    pub(crate) started: Instant,
    /// Lines of output that it says it has dropped, those for the terminal and those for the logs.
    pub(crate) dropped: [Arc<AtomicU64>; 2],
}

impl Server {
    /// Starts `command` and waits until it announces its address.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        Self::start_with(command, Stdio::null())
    }

    /// The same, with somewhere for its standard output to go.
    pub(crate) fn start_with(command: &mut Command, stdout: Stdio) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().context("the server has no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next() else {
                let _ = child.wait();
                anyhow::bail!("the server did not start:\n{}", said.join("\n"));
            };
            let line = line?;
            if let Some(address) = line.strip_prefix("Serving http://") {
                break address.trim_end_matches('/').parse()?;
            }
            said.push(line);
        };
        let dropped = <[Arc<AtomicU64>; 2]>::default();
        let [of_output, of_logs] = dropped.clone();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let number = line.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
                let of = if line.contains(" not logged") { &of_logs } else { &of_output };
                of.fetch_add(number, Ordering::Relaxed);
            }
        });
        Ok(Self { child, address, started, dropped })
    }

    /// Its standard output, where it was piped.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// CPU time so far, of all threads.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the name, which may hold anything but the last closing parenthesis.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        // User and system time are the 14th and 15th field; a tick is 10 ms on every Linux.
        Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A day's lines of log, and a pipe that is hardly read: what they take of the disk and of the memory.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::artifacts;

use crate::process::Server;

/// Lines that one request prints: see `crates/e2e/hostile`.
const LINES: u64 = 1_000_000;

/// Requests that print at the same time.
const PRINTING: usize = 1;

/// How often a slow reader reads, and how much.
const PAUSE: Duration = Duration::from_millis(100);
const PIECE: usize = 4096;

/// How long the number of lines that were dropped is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Prints so many millions of lines and measures; a tenth of them into a pipe that is hardly read.
pub(crate) fn run(millions: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let app = artifacts::forwarder();
    let up = |quiet: bool, logs: &Path| {
        let mut command = Command::new(artifacts::ab());
        command.args(["up", "--no-build", "--listen", "127.0.0.1:0", "--from"]).arg(app);
        command.arg("--log-dir").arg(logs).args(quiet.then_some("--quiet"));
        command.current_dir(folder.path());
        command
    };
    let logs = folder.path().join("day");
    let server = Server::start(&mut up(true, &logs))?;
    let figures = measure(&server, millions, &logs)?;
    report("A day's lines into the logs", millions, &server, &figures)?;
    drop(server);

    let logs = folder.path().join("pipe");
    let mut server = Server::start_with(&mut up(false, &logs), Stdio::piped())?;
    let mut pipe = server.stdout();
    let hurries = Arc::<AtomicBool>::default();
    let reader = {
        let hurries = hurries.clone();
        thread::spawn(move || {
            let mut piece = vec![0; PIECE];
            while let Some(pipe) = &mut pipe
                && pipe.read(&mut piece).is_ok_and(|length| length > 0)
            {
                if !hurries.load(Ordering::Relaxed) {
                    thread::sleep(PAUSE);
                }
            }
        })
    };
    let figures = measure(&server, millions.div_ceil(10), &logs)?;
    // How many lines were dropped is said once the pipe takes more.
    hurries.store(true, Ordering::Relaxed);
    let patience = Instant::now() + PATIENCE;
    while server.dropped[0].load(Ordering::Relaxed) == 0 && Instant::now() < patience {
        thread::sleep(PAUSE);
    }
    report("Into the logs and a pipe that is read at 40 KiB/s", millions.div_ceil(10), &server, &figures)?;
    drop(server);
    let _ = reader.join();
    Ok(())
}

/// What was used at most, in bytes.
#[derive(Default)]
struct Figures {
    time: Duration,
    memory: u64,
    disk: u64,
}

fn measure(server: &Server, millions: u64, logs: &Path) -> anyhow::Result<Figures> {
    let start = Instant::now();
    let ends = Arc::<AtomicBool>::default();
    let printing: Vec<_> = (0..PRINTING as u64)
        .map(|number| {
            let address = server.address;
            let times = (millions + PRINTING as u64 - 1 - number) / PRINTING as u64;
            thread::spawn(move || (0..times).try_for_each(|_| print(address)))
        })
        .collect();
    let waiting = {
        let ends = ends.clone();
        thread::spawn(move || {
            let ended: Vec<_> = printing.into_iter().map(thread::JoinHandle::join).collect();
            ends.store(true, Ordering::Relaxed);
            ended
        })
    };
    let mut figures = Figures::default();
    while !ends.load(Ordering::Relaxed) {
        figures.memory = figures.memory.max(server.memory()?);
        figures.disk = figures.disk.max(size(logs));
        thread::sleep(Duration::from_millis(20));
    }
    for ended in waiting.join().unwrap_or_default() {
        ended.map_err(|_| anyhow::anyhow!("a thread panicked"))??;
    }
    figures.time = start.elapsed();
    Ok(figures)
}

/// Lets the app print, and waits until it has.
fn print(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(
        b"POST /hostile/million-lines HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

fn report(what: &str, millions: u64, server: &Server, figures: &Figures) -> anyhow::Result<()> {
    let mebi = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let [of_output, of_logs] = server.dropped.each_ref().map(|dropped| dropped.load(Ordering::Relaxed));
    writeln!(
        std::io::stdout(),
        "{what}: {} lines in {:.0} s, of which {of_logs} were not logged and {of_output} not shown; \
         the logs took {:.1} MiB at most, the runtime {:.1} MiB of memory.",
        millions * LINES,
        figures.time.as_secs_f64(),
        mebi(figures.disk),
        mebi(figures.memory)
    )?;
    Ok(())
}

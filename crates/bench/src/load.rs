//! The load generator: keeps connections alive and sends the same request over and over. It does as little as it can,
//! since it shares the cores with the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a load found.
pub(crate) struct Load {
    /// How long every request took, sorted.
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Load {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests() as f64 / self.elapsed.as_secs_f64()
    }

    /// All requests.
    pub(crate) fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that this share of the requests, from 0 to 1, stays below.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share) as usize).copied().unwrap_or_default()
    }
}

/// Sends requests over `connections` connections for `time`.
///
/// # Errors
///
/// A connection breaks, or an answer is not 200 with `expected` in it.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    expected: &str,
) -> anyhow::Result<Load> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let end = started + time;
        let tasks: Vec<_> =
            (0..connections).map(|_| tokio::spawn(connection(address, end, expected.to_owned()))).collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await??);
        }
        let elapsed = started.elapsed();
        latencies.sort_unstable();
        Ok(Load { latencies, elapsed })
    })
}

/// Sends one request, over a connection of its own.
pub(crate) fn once(address: SocketAddr, expected: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(connection(address, Instant::now(), expected.to_owned())).map(drop)
}

/// The sentence that is asked for.
pub(crate) const SENTENCE: &str = "What a beautiful sunrise!";

/// Part of every answer from the store.
pub(crate) const CACHED: &str = r#""cached":true"#;

const BODY: &str = r#"{"sentence":"What a beautiful sunrise!"}"#;

/// At least one request, then more until `end`.
async fn connection(address: SocketAddr, end: Instant, expected: String) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "POST /api/sentiment-analysis HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut latencies = Vec::new();
    let mut answer = Vec::with_capacity(4096);
    loop {
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        while !is_whole(&answer)? {
            anyhow::ensure!(stream.read_buf(&mut answer).await? > 0, "the server closed the connection");
        }
        latencies.push(sent.elapsed());
        let text = std::str::from_utf8(&answer)?;
        anyhow::ensure!(
            text.starts_with("HTTP/1.1 200") && text.contains(&expected),
            "not the answer: {text}"
        );
        if Instant::now() >= end {
            return Ok(latencies);
        }
    }
}

fn is_whole(answer: &[u8]) -> anyhow::Result<bool> {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
    let text = std::str::from_utf8(answer.get(..head).unwrap_or_default())?;
    let length = text
        .lines()
        .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .context("an answer without content-length")?;
    Ok(answer.len() >= head + 4 + length)
}

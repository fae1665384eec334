//! Clients that do what no client should: they stall, half-close, and send heads without end, and noise.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::traffic::Traffic;

/// How many there are of each kind.
const EACH: usize = 16;

/// Starts them all; they end when they are aborted.
pub(crate) fn start(runtime: &tokio::runtime::Runtime, traffic: &Arc<Traffic>) -> Vec<JoinHandle<()>> {
    let all = (0..EACH).flat_map(|_| Manner::ALL);
    all.map(|manner| runtime.spawn(again(traffic.clone(), manner))).collect()
}

#[derive(Clone, Copy)]
enum Manner {
    Stalls,
    HalfCloses,
    OversizedHead,
    Noise,
}

impl Manner {
    const ALL: [Self; 4] = [Self::Stalls, Self::HalfCloses, Self::OversizedHead, Self::Noise];

    fn name(self) -> &'static str {
        match self {
            Self::Stalls => "stalling client",
            Self::HalfCloses => "half-closing client",
            Self::OversizedHead => "oversized head",
            Self::Noise => "noise",
        }
    }
}

async fn again(traffic: Arc<Traffic>, manner: Manner) {
    loop {
        // Whatever becomes of it.
        if let Ok(status) = once(&traffic, manner).await {
            traffic.ledger.count(manner.name(), &status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The status of the answer, or what there was instead.
async fn once(traffic: &Traffic, manner: Manner) -> std::io::Result<String> {
    const POST: &str = "POST /api/sentiment-analysis HTTP/1.1\r\nhost: localhost\r\ncontent-length: ";
    let mut stream = TcpStream::connect(traffic.address().trim_start_matches("http://")).await?;
    match manner {
        Manner::Stalls => {
            stream.write_all(format!("{POST}50\r\n\r\n{{").as_bytes()).await?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            return Ok("gone without an answer".to_owned());
        }
        Manner::HalfCloses => {
            let body = r#"{"sentence":"A cloudy day, half-closed"}"#;
            stream.write_all(format!("{POST}{}\r\n\r\n{body}", body.len()).as_bytes()).await?;
            stream.shutdown().await?;
        }
        Manner::OversizedHead => {
            let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n", "x".repeat(1 << 20));
            // The server need not read it all.
            let _ = stream.write_all(head.as_bytes()).await;
        }
        Manner::Noise => {
            for input in fuzz::corpus::inputs() {
                if stream.write_all(&input).await.is_err() {
                    break;
                }
            }
            let _ = stream.shutdown().await;
        }
    }
    let mut answer = [0; 12];
    match tokio::time::timeout(Duration::from_secs(40), stream.read_exact(&mut answer)).await {
        Ok(Ok(_)) => Ok(String::from_utf8_lossy(answer.get(9..).unwrap_or_default()).into_owned()),
        Ok(Err(_)) => Ok("connection closed".to_owned()),
        Err(_) => Ok("no answer in 40 s".to_owned()),
    }
}

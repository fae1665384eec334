//! How many cached answers one, two and three nodes give, through `HAProxy`, from one Redis.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::app::{FIRST, SENTIMENT};
use e2e::cluster::Cluster;
use e2e::cluster::faults::NODES;
use tokio::runtime::Runtime;

/// Clients that each send one request after another.
const CLIENTS: usize = 32;

const EACH: Duration = Duration::from_secs(5);

/// Measures and prints.
pub(crate) fn run(runtime: &Runtime) -> anyhow::Result<()> {
    let Some(mut cluster) = runtime.block_on(Cluster::start(1, |app| app.variable("variants", FIRST))) else {
        anyhow::bail!("it needs HAProxy and Redis: `apt-get install haproxy redis-server`");
    };
    runtime.block_on(cluster.try_ask("Hello"));
    for nodes in 1..=NODES {
        let answered = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| runtime.spawn(ask(cluster.url(SENTIMENT), started + EACH, Arc::clone(&answered))))
            .collect();
        for client in clients {
            runtime.block_on(client)??;
        }
        let rate = answered.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
        writeln!(std::io::stdout().lock(), "{nodes} node(s): {rate:.0} cached answers a second")?;
        if nodes < NODES {
            cluster.add(nodes);
        }
    }
    Ok(())
}

async fn ask(url: String, end: Instant, answered: Arc<AtomicUsize>) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    while Instant::now() < end {
        let request =
            client.post(&url).header("content-type", "application/json").body("{\"sentence\":\"Hello\"}");
        let answer = request.send().await?.error_for_status()?.text().await?;
        anyhow::ensure!(answer.contains("\"cached\":true"), "not a cached answer: {answer}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

//! That one client's slowness is not another's. These tests measure time, so they run one at a time and stand apart from
//! all others.

#![expect(clippy::panic, reason = "a figure that is too high fails the test")]

mod head_of_line;
mod slow_clients;

use std::time::{Duration, Instant};

use e2e::app::App;
use tokio::sync::Mutex;

/// Held by the test that measures.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How often a figure that a busy machine may spoil is measured, at most.
const ATTEMPTS: usize = 3;

/// How long each of so many requests took, sorted: a sentence that is in the store, asked again and again.
async fn latencies(app: &App, sentence: &str, count: usize) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        let answer = app.ask(sentence).await;
        latencies.push(started.elapsed());
        assert!(answer.cached);
    }
    latencies.sort();
    latencies
}

/// The value below which so many percent of sorted ones lie.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

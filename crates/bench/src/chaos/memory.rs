//! The memory of the runtime, over its lives from one kill to the next.

use std::time::{Duration, Instant};

use e2e::process::Process;
use e2e::usage::resident;

/// Samples of every life.
pub(crate) struct Memory {
    start: Instant,
    lives: Vec<Vec<(Duration, u64)>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), lives: vec![Vec::new()] }
    }

    pub(crate) fn sample(&mut self, process: &Process) {
        // Of a process that is on its way out there is none.
        if let Ok(bytes) = resident(process)
            && let Some(life) = self.lives.last_mut()
        {
            life.push((self.start.elapsed(), bytes));
        }
    }

    pub(crate) fn begin_life(&mut self) {
        self.lives.push(Vec::new());
    }

    /// The most of all, in MiB.
    pub(crate) fn most(&self) -> f64 {
        self.lives.iter().flatten().map(|(_, bytes)| mebi(*bytes)).fold(0.0, f64::max)
    }

    /// Of the longest life without its first third: how long that was, in seconds, and how the memory grew, in MiB a minute, by least
    /// squares.
    pub(crate) fn slope(&self) -> (f64, f64) {
        let life = self.lives.iter().max_by_key(|life| life.len()).map(Vec::as_slice).unwrap_or_default();
        let life = life.get(life.len() / 3..).unwrap_or_default();
        let points: Vec<_> =
            life.iter().map(|(time, bytes)| (time.as_secs_f64() / 60.0, mebi(*bytes))).collect();
        let number = points.len().max(1) as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / number;
        let (time, memory) = (mean(|point| point.0), mean(|point| point.1));
        let product: f64 = points.iter().map(|point| (point.0 - time) * (point.1 - memory)).sum();
        let square: f64 = points.iter().map(|point| (point.0 - time).powi(2)).sum();
        let length = points.first().zip(points.last()).map_or(0.0, |(first, last)| last.0 - first.0);
        (length * 60.0, if square > 0.0 { product / square } else { 0.0 })
    }
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_longest_life() {
        let life = |seconds: u64, mebi_a_second: u64| {
            (0..seconds)
                .map(|second| (Duration::from_secs(second), (100 + second * mebi_a_second) << 20))
                .collect()
        };
        let memory = Memory { start: Instant::now(), lives: vec![life(5, 50), life(60, 2), life(7, 9)] };
        let (seconds, slope) = memory.slope();
        assert!((seconds - 39.0).abs() < 1e-6 && (slope - 120.0).abs() < 1e-6, "{seconds} {slope}");
        assert!((memory.most() - 300.0).abs() < 1e-6);
    }
}

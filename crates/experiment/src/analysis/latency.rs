//! Percentiles of latencies in bounded memory: a histogram whose buckets grow with the value.

use serde::Serialize;

use crate::statistics::real;

/// Values below this have a bucket each; every doubling above has as many.
const PER_DOUBLING: u64 = 32;

/// One bucket per value and doubling of values from 32 to 2³² ms (50 days), where the last one ends.
const BUCKETS: usize = 28 * 32;

/// Latencies, counted in buckets at most 1/32 as wide as their values are large, so that a percentile is off by at
/// most 1.6 %, and not at all below 32 ms. 7 KiB, whatever the number of values.
#[derive(Clone, Debug)]
pub struct Latencies {
    buckets: Vec<u64>,
    n: u64,
    sum: u64,
}

/// A summary of latencies, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Inferences measured.
    pub n: u64,
    /// Mean.
    pub mean_ms: f64,
    /// Median, within 1.6 %.
    pub p50_ms: f64,
    /// 95th percentile, within 1.6 %.
    pub p95_ms: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], n: 0, sum: 0 }
    }
}

impl Latencies {
    /// Counts a latency in milliseconds.
    pub fn add(&mut self, milliseconds: u64) {
        self.add_many(milliseconds, 1);
    }

    /// Counts so many latencies of as many milliseconds.
    pub fn add_many(&mut self, milliseconds: u64, count: u64) {
        self.buckets[bucket(milliseconds)] += count;
        self.n += count;
        self.sum = self.sum.saturating_add(milliseconds.saturating_mul(count));
    }

    /// The summary; `None` of nothing.
    pub fn summary(&self) -> Option<Latency> {
        (self.n > 0).then(|| Latency {
            n: self.n,
            mean_ms: real(self.sum) / real(self.n),
            p50_ms: self.percentile(50),
            p95_ms: self.percentile(95),
        })
    }

    /// The middle of the bucket of the smallest value that at least so many per cent of the values do not exceed.
    fn percentile(&self, percent: u64) -> f64 {
        let rank = self.n.saturating_mul(percent).div_ceil(100);
        let mut seen = 0;
        let index = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        middle(index.unwrap_or(BUCKETS - 1))
    }
}

fn bucket(value: u64) -> usize {
    let value = value.min(u64::from(u32::MAX));
    // 0 up to 63, where a bucket is one value; one more for each doubling.
    let shift = (value / PER_DOUBLING).checked_ilog2().unwrap_or(0);
    let index = u64::from(shift) * PER_DOUBLING + (value >> shift);
    usize::try_from(index).map_or(BUCKETS - 1, |index| index.min(BUCKETS - 1))
}

fn middle(index: usize) -> f64 {
    let index = index as u64;
    let shift = (index / PER_DOUBLING).saturating_sub(1);
    let lowest = (index - shift * PER_DOUBLING) << shift;
    real(lowest) + real((1 << shift) - 1) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_near_the_middle_of_its_bucket() {
        let values =
            (0..100_000).chain((17..32).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]));
        for value in values {
            let middle = middle(bucket(value));
            assert!((middle - real(value)).abs() <= real(value) / 64.0, "{value}: {middle}");
            assert!(value >= 64 || (middle - real(value)).abs() < 1e-9, "{value}: {middle}");
        }
        assert_eq!(bucket(u64::from(u32::MAX)), BUCKETS - 1);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn summaries() {
        assert_eq!(Latencies::default().summary(), None);
        let mut latencies = Latencies::default();
        (1..=100).rev().for_each(|value| latencies.add(10 * value));
        let summary = latencies.summary().unwrap();
        assert_eq!((summary.n, summary.mean_ms), (100, 505.0));
        assert!((summary.p50_ms / 500.0 - 1.0).abs() < 0.016, "{summary:?}");
        assert!((summary.p95_ms / 950.0 - 1.0).abs() < 0.016, "{summary:?}");
        latencies.add(u64::MAX);
        latencies.add(u64::MAX);
        assert!(latencies.summary().unwrap().mean_ms.is_finite());
    }
}

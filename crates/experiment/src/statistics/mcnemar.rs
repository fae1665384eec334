//! McNemar's test of paired outcomes (McNemar 1947), always in its exact, binomial form.

use super::tails::tails;
use super::{Pairs, real};

/// The two-sided p-value, in `0..=1`, of the hypothesis that both variants are equally often right:
/// `min(1, 2·Σ_{i ≤ min(b,c)} C(b+c, i) / 2^(b+c))`, where b and c count the pairs on which only one was right.
///
/// 1 without discordant pairs. It is a fixed-sample test: it describes, and does not decide.
pub fn p_value(pairs: Pairs) -> f64 {
    let discordant = pairs.only_first.saturating_add(pairs.only_second);
    let beyond = pairs.only_first.min(pairs.only_second).saturating_add(1);
    let ratio = |i: u64| real(discordant - i) / (real(i) + 1.0);
    let binomial = tails(0, discordant, discordant / 2, beyond, ratio);
    (2.0 * binomial.below).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(only_first: u64, only_second: u64) -> f64 {
        p_value(Pairs { only_first, only_second, ..Pairs::default() })
    }

    #[test]
    fn check_value() {
        assert_eq!(format!("{:.5}", p(12, 2)), "0.01294");
    }

    #[test]
    fn edges() {
        for (b, c, expected) in [(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), (7, 7, 1.0), (5, 0, 0.0625)] {
            assert!((p(b, c) - expected).abs() < 1e-15, "{b}/{c}: {}", p(b, c));
        }
        // 1,000 of 1,000: 2^-999, far below what a naive sum of logarithms keeps.
        assert!((p(1_000, 0) / 2f64.powi(-999) - 1.0).abs() < 1e-10);
        // Beyond the smallest f64, and at once.
        assert_eq!(p(2_000_000, 1_000_000).to_bits(), 0);
        // scipy.stats.binomtest(499000, 1000000).pvalue
        assert!(
            (p(501_000, 499_000) / 0.045_608_299_865_389_6 - 1.0).abs() < 1e-9,
            "{}",
            p(501_000, 499_000)
        );
    }
}

//! The interval that holds at every look, however often one looks, so that a decision may be made as soon as it excludes
//! zero.
//!
//! It is an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476): about
//! 1.7 times as wide as a fixed-sample interval at n = 1,000, which is the price of looking every day.
//!
//! The standard error is taken from smoothed shares (one right and one wrong answer added to each variant, Agresti and
//! Caffo 2000; half a sentence added to each of the four kinds of pairs, Agresti and Min 2005), so that a variant that
//! made no mistake yet does not pass for one that makes none. The difference itself is the observed one.

use super::real;

/// Half the width of the interval at significance `alpha`:
/// `se·√n·√(2(nρ²+1)·ln(√(nρ²+1)/α) / (nρ)²)`, `ρ = √((−2 ln α + ln(−2 ln α + 1)) / N*)`.
///
/// `standard_error` is that of the difference, `n` counts all observations (or pairs; see [`Evidence::clock`](super::Evidence::clock)), and N* is
/// `planned`. Infinite for n = 0.
pub fn half_width(standard_error: f64, n: u64, alpha: f64, planned: u64) -> f64 {
    if n == 0 {
        return f64::INFINITY;
    }
    standard_error * real(n).sqrt() * boundary(real(n), alpha, planned)
}

/// The half-width for a standard deviation of 1 per observation.
pub(super) fn boundary(n: f64, alpha: f64, planned: u64) -> f64 {
    let surprise = -2.0 * alpha.ln();
    let rho_squared = (surprise + surprise.ln_1p()) / real(planned.max(1));
    let spread = n * rho_squared + 1.0;
    (2.0 * spread * (spread.sqrt() / alpha).ln() / (n * n * rho_squared)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Z_95;

    #[test]
    fn is_about_1_7_times_as_wide_as_the_fixed_interval_at_1000() {
        let ratio = half_width(1.0, 1_000, 0.05, 5_000) / Z_95;
        assert!((1.65..1.75).contains(&ratio), "{ratio}");
    }

    #[test]
    fn is_tightest_against_a_fixed_interval_at_the_planned_size() {
        // The half-width in standard errors, by n: least close to N* (exactly so as α → 0).
        let errors = |n: u64| half_width(1.0, n, 0.05, 500);
        for n in [100, 250, 1_000, 2_500] {
            assert!(errors(500) < errors(n), "{n}");
        }
    }
}

//! Sample-ratio mismatch: whether assignment honoured the weights.
//!
//! A mismatch points at a fault in the experiment (a variant that fails, a log that lost lines), and no comparison can
//! be trusted until it is found. The threshold is the one of GrowthBook's and PostHog's engines.

use statrs::function::gamma::checked_gamma_ur;

use super::real;

/// Below this p-value a mismatch is flagged.
pub const THRESHOLD: f64 = 0.001;

/// Assignments per variant, on average, from which the test is meaningful.
pub const MINIMUM_PER_VARIANT: u64 = 8;

/// How often a variant was assigned, and how often it should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assigned {
    /// Assignments, cache hits included.
    pub count: u64,
    /// The variant's weight, in any unit common to all; a variant that is not above 0 takes no part.
    pub weight: f64,
}

/// The outcome of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRatio {
    /// Assignments in all, over variants with weight.
    pub n: u64,
    /// χ² = Σ(Oᵢ−Eᵢ)²/Eᵢ with Eᵢ = N·wᵢ/Σw.
    pub chi_squared: f64,
    /// P(χ² at least this large), with one degree of freedom fewer than variants, in `0..=1`.
    pub p_value: f64,
    /// p below [`THRESHOLD`] with at least [`MINIMUM_PER_VARIANT`] assignments per variant.
    pub mismatch: bool,
}

/// Pearson's χ² test of the assignments against the weights; `None` with fewer than two variants with a weight, or
/// without assignments.
pub fn test(assigned: &[Assigned]) -> Option<SampleRatio> {
    let taking_part = || assigned.iter().filter(|variant| variant.weight > 0.0 && variant.weight.is_finite());
    let variants = u32::try_from(taking_part().count()).ok()?;
    let n = taking_part().fold(0_u64, |sum, variant| sum.saturating_add(variant.count));
    let weights: f64 = taking_part().map(|variant| variant.weight).sum();
    if variants < 2 || n == 0 || !weights.is_finite() {
        return None;
    }
    let chi_squared: f64 = taking_part()
        .map(|variant| {
            let expected = real(n) * (variant.weight / weights);
            (real(variant.count) - expected).powi(2) / expected
        })
        .sum();
    let p_value = upper_tail(chi_squared, variants - 1);
    Some(SampleRatio {
        n,
        chi_squared,
        p_value,
        mismatch: p_value < THRESHOLD && n >= MINIMUM_PER_VARIANT * u64::from(variants),
    })
}

/// The χ² distribution's upper tail, Q(k/2, x/2).
fn upper_tail(chi_squared: f64, degrees: u32) -> f64 {
    if chi_squared <= 0.0 {
        return 1.0;
    }
    if !chi_squared.is_finite() {
        return 0.0;
    }
    checked_gamma_ur(f64::from(degrees) / 2.0, chi_squared / 2.0).map_or(0.0, |tail| tail.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_ratio(cases: &[(u64, f64)]) -> Option<SampleRatio> {
        test(&cases.iter().map(|&(count, weight)| Assigned { count, weight }).collect::<Vec<_>>())
    }

    #[test]
    fn check_values() {
        for (counts, p_value, mismatch) in [([550, 450], "0.00157", false), ([560, 440], "0.00015", true)] {
            let result = sample_ratio(&[(counts[0], 1.0), (counts[1], 1.0)]).unwrap();
            assert_eq!((format!("{:.5}", result.p_value).as_str(), result.mismatch), (p_value, mismatch));
        }
    }

    #[test]
    fn edges() {
        for nothing_to_test in [&[][..], &[(10, 1.0)], &[(10, 1.0), (5, 0.0)], &[(0, 1.0), (0, 1.0)]] {
            assert_eq!(sample_ratio(nothing_to_test), None, "{nothing_to_test:?}");
        }
        // Too few to flag, then enough; a variant without weight changes neither.
        assert!(!sample_ratio(&[(15, 1.0), (0, 1.0), (99, 0.0)]).unwrap().mismatch);
        assert!(sample_ratio(&[(16, 1.0), (0, 1.0)]).unwrap().mismatch);
        assert!(!sample_ratio(&[(900, 90.0), (100, 10.0)]).unwrap().mismatch);
        let exact = sample_ratio(&[(500, 1.0), (500, 1.0)]).unwrap();
        assert_eq!((exact.chi_squared, exact.p_value), (0.0, 1.0));
        let far = sample_ratio(&[(2_000_000, 1.0), (1_000_000, 1.0)]).unwrap();
        assert!(far.mismatch && far.p_value >= 0.0);
        let far = sample_ratio(&[(u64::MAX, 1e-300), (0, 1e300)]).unwrap();
        assert!(far.mismatch && far.p_value >= 0.0, "{far:?}");
    }
}

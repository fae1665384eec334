//! Textbook sample sizes at α = 0.05, two-sided, and a power of 80%: for planning, with one look at the end.
//!
//! Deciding at any time costs more observations; [`super::always_valid`] says how many. Why a paired evaluation is the
//! stronger design: Miller, Adding Error Bars to Evals, arXiv 2411.00640.

use super::{Z_95, Z_POWER_80};

/// Labelled observations *per variant* to tell the accuracies `p1` and `p2` (each in `0..=1`) apart:
/// `(z_{α/2} + z_β)²·(p₁(1−p₁) + p₂(1−p₂)) / δ²`, rounded up. `None` where they are equal or not accuracies.
pub fn independent(p1: f64, p2: f64) -> Option<u64> {
    if !(0.0..=1.0).contains(&p1) || !(0.0..=1.0).contains(&p2) {
        return None;
    }
    let variance = p1 * (1.0 - p1) + p2 * (1.0 - p2);
    rounded_up((Z_95 + Z_POWER_80).powi(2) * variance / (p1 - p2).powi(2))
}

/// Labelled sentences that *both* variants must see to find a difference of `difference`, where only one of the two is
/// right on a share `discordant` of them: `[z_{α/2}·√ψ + z_β·√(ψ−δ²)]² / δ²`, rounded up.
///
/// `None` without a difference, and where the two contradict each other: |δ| is at most ψ, and ψ at most 1.
pub fn paired(discordant: f64, difference: f64) -> Option<u64> {
    if !(difference.abs()..=1.0).contains(&discordant) {
        return None;
    }
    let root = Z_95 * discordant.sqrt() + Z_POWER_80 * (discordant - difference.powi(2)).max(0.0).sqrt();
    rounded_up((root / difference).powi(2))
}

/// At least 1, as no observations show nothing; `None` for what is not a number of observations.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within 1..2^53")]
fn rounded_up(observations: f64) -> Option<u64> {
    let observations = observations.ceil().max(1.0);
    (observations < 9e15).then_some(observations as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values() {
        assert_eq!(independent(0.80, 0.85), Some(903));
        assert_eq!(paired(0.15, 0.05), Some(469));
    }

    #[test]
    fn edges() {
        assert_eq!(independent(0.8, 0.8), None);
        assert_eq!(independent(f64::NAN, 0.8), None);
        assert_eq!(independent(0.8, 1.2), None);
        assert_eq!(independent(0.0, 1.0), Some(1));
        assert_eq!(independent(0.85, 0.80), independent(0.80, 0.85));
        assert_eq!(paired(0.15, 0.0), None);
        assert_eq!(paired(0.04, 0.05), None);
        assert_eq!(paired(0.15, -0.05), paired(0.15, 0.05));
    }
}

//! Chance to win and expected loss, under independent posteriors Beta(1 + correct, 1 + wrong).
//!
//! Both describe what the observations say; neither decides, as both mislead when looked at again and again.
//!
//! With whole parameters the chance is a tail of a hypergeometric distribution, exactly. Beta(α, β) is the α-th
//! smallest of α+β−1 uniform numbers. Mix the numbers of both posteriors: p₁ comes before p₂ if and only if, among the
//! smallest α₁+α₂−1 of all, at least α₁ belong to the first; and every subset is equally likely to be the smallest.
//! (The same identity joins Fisher's exact test to the Bayesian answer, Altham 1969.)

use super::tails::tails;
use super::{Score, real};

/// The probability, in `0..=1`, that the second's true accuracy is above the first's; one half without observations.
pub fn chance_to_win(first: Score, second: Score) -> f64 {
    let from_first = first.n().saturating_add(1);
    let from_second = second.n().saturating_add(1);
    let drawn = first.correct.saturating_add(second.correct).saturating_add(1);
    let low = drawn.saturating_sub(from_second);
    let high = drawn.min(from_first);
    let threshold = first.correct.saturating_add(1);
    // P(i) ∝ C(from_first, i) · C(from_second, drawn − i)
    let ratio = |i: u64| {
        real(from_first - i) / (real(i) + 1.0)
            * (real(drawn - i) / (real(from_second) - real(drawn) + real(i) + 1.0))
    };
    tails(low, high, hypergeometric_mode(from_first, from_second, drawn), threshold, ratio).from
}

/// `E[max(p_other − p_chosen, 0)]`, in `0..=1`: the accuracy given away, on average, by choosing `chosen`.
///
/// From `p·Beta(p; α, β) = α/(α+β) · Beta(p; α+1, β)` it is a difference of two chances to win. Below about 10⁻¹² only
/// the absolute error is small.
pub fn expected_loss(chosen: Score, other: Score) -> f64 {
    let one_more = |score: Score| Score::new(score.correct.saturating_add(1), score.wrong);
    let other_wins = other.smoothed() * chance_to_win(chosen, one_more(other));
    let chosen_then = chosen.smoothed() * chance_to_win(one_more(chosen), other);
    (other_wins - chosen_then).max(0.0)
}

fn hypergeometric_mode(from_first: u64, from_second: u64, drawn: u64) -> u64 {
    let all = u128::from(from_first) + u128::from(from_second);
    let mode = (u128::from(drawn) + 1) * (u128::from(from_first) + 1) / (all + 2);
    u64::try_from(mode).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Score = Score::new(80, 20);
    const B: Score = Score::new(90, 10);

    #[test]
    fn check_values() {
        // scipy.stats.hypergeom.sf(80, 202, 101, 171)
        assert!((chance_to_win(A, B) - 0.975_173_033_152_874_6).abs() < 1e-13);
        assert_eq!(format!("{:.5}", expected_loss(B, A)), "0.00048");
        assert_eq!(format!("{:.4}", expected_loss(A, B)), "0.0985");
    }

    #[test]
    fn edges() {
        let none = Score::default();
        assert!((chance_to_win(none, none) - 0.5).abs() < 1e-15);
        // Two uniform numbers lie one third apart, on average.
        assert!((expected_loss(none, none) - 1.0 / 6.0).abs() < 1e-15);
        assert!(chance_to_win(Score::new(0, 50), Score::new(50, 0)) > 1.0 - 1e-15);
        assert!(chance_to_win(Score::new(50, 0), Score::new(0, 50)) < 1e-15);
    }

    #[test]
    fn complements_and_differences_at_large_counts() {
        for scale in [1, 1_000, 1_000_000, 100_000_000] {
            let first = Score::new(80 * scale, 20 * scale);
            let second = Score::new(80 * scale + 1, 20 * scale + 2);
            let chances = chance_to_win(first, second) + chance_to_win(second, first);
            assert!((chances - 1.0).abs() < 1e-9, "{scale}: {chances}");
            // E[max(x, 0)] − E[max(−x, 0)] = E[x]
            let mean = second.smoothed() - first.smoothed();
            let losses = expected_loss(first, second) - expected_loss(second, first);
            assert!((losses - mean).abs() < 1e-12, "{scale}: {losses} {mean}");
        }
    }
}

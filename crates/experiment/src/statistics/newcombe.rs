//! The interval of a difference of two accuracies (Newcombe 1998), from the Wilson interval of each.
//!
//! Both are fixed-sample intervals: they hold for one look at a sample size fixed beforehand. So they decide on a data set;
//! of observations that are watched while they come in they describe, and [`super::always_valid`] decides.

use super::{Interval, Pairs, Score, Z_95, real, wilson};

/// First − second with 95% confidence, the two observed on different sentences (Newcombe's method 10):
/// `L = d − √((p₁−l₁)² + (u₂−p₂)²)`, `U = d + √((u₁−p₁)² + (p₂−l₂)²)`.
///
/// Bounds lie in `-1..=1` and contain d. Where one of the two has no observations, the interval is `-1..=1`.
pub fn independent(first: Score, second: Score) -> Interval {
    independent_at(first, second, Z_95)
}

/// [`independent`] with the confidence that belongs to the normal quantile z.
pub fn independent_at(first: Score, second: Score, z: f64) -> Interval {
    correlated(first, second, 0.0, z)
}

/// First − second with 95% confidence, both observed on the same sentences (Newcombe's paired method 10): as [`independent`], with
/// `−2φ·(product of the two terms)` under each root, where
/// `φ = (ad−bc) / √((a+b)(c+d)(a+c)(b+d))`, the numerator `max(ad−bc−n/2, 0)` when positive, and 0 where a margin is 0.
///
/// Bounds lie in `-1..=1` and contain d; without pairs the interval is `-1..=1`.
pub fn paired(pairs: Pairs) -> Interval {
    paired_at(pairs, Z_95)
}

/// [`paired`] with the confidence that belongs to the normal quantile z.
pub fn paired_at(pairs: Pairs, z: f64) -> Interval {
    correlated(pairs.first(), pairs.second(), correlation(pairs), z)
}

fn correlation(pairs: Pairs) -> f64 {
    let Pairs { both, only_first, only_second, neither } = pairs;
    let agreement = real(both) * real(neither) - real(only_first) * real(only_second);
    let numerator = if agreement > 0.0 { (agreement - real(pairs.n()) / 2.0).max(0.0) } else { agreement };
    let (first, second) = (pairs.first(), pairs.second());
    let margins = [first.correct, first.wrong, second.correct, second.wrong];
    if margins.contains(&0) {
        return 0.0;
    }
    // The root of each factor, as the product of four large counts would lose digits.
    (numerator / margins.into_iter().map(|margin| real(margin).sqrt()).product::<f64>()).clamp(-1.0, 1.0)
}

fn correlated(first: Score, second: Score, phi: f64, z: f64) -> Interval {
    let (Some(p1), Some(p2)) = (first.accuracy(), second.accuracy()) else {
        return Interval::ANY_DIFFERENCE;
    };
    let (w1, w2) = (wilson::interval_at(first, z), wilson::interval_at(second, z));
    let reach = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let difference = p1 - p2;
    Interval {
        low: (difference - reach(p1 - w1.low, w2.high - p2)).max(-1.0),
        high: (difference + reach(w1.high - p1, p2 - w2.low)).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(Interval { low, high }: Interval) -> String {
        format!("{low:.4} to {high:.4}")
    }

    #[test]
    fn check_values() {
        let pairs = Pairs { both: 36, only_first: 12, only_second: 2, neither: 0 };
        assert_eq!(rounded(independent(Score::new(56, 14), Score::new(48, 32))), "0.0524 to 0.3339");
        assert_eq!(rounded(paired(pairs)), "0.0569 to 0.3404");
    }

    #[test]
    fn edges() {
        assert_eq!(independent(Score::default(), Score::new(3, 1)), Interval::ANY_DIFFERENCE);
        assert_eq!(paired(Pairs::default()), Interval::ANY_DIFFERENCE);
        // No discordant pairs: the difference is 0, and the interval is around it.
        let agreed = paired(Pairs { both: 50, neither: 10, ..Pairs::default() });
        assert!(agreed.low < 0.0 && (agreed.low + agreed.high).abs() < 1e-12, "{agreed:?}");
        // All right against all wrong.
        let certain = paired(Pairs { only_first: 100, ..Pairs::default() });
        assert!(certain.low > 0.9 && certain.high <= 1.0, "{certain:?}");
        let huge =
            paired(Pairs { both: 3_000_000, only_first: 400_000, only_second: 390_000, neither: 700_000 });
        assert!(huge.contains(10_000.0 / 4_490_000.0) && huge.high - huge.low < 0.001, "{huge:?}");
    }
}

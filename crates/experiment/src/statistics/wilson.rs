//! The interval of one accuracy (Wilson 1927).

use super::{Interval, Score, Z_95, real};

/// The Wilson 95% interval of an accuracy:
/// `(p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n)` with z = 1.959964.
///
/// Bounds lie in `0..=1` and contain p̂. With nothing correct the lower bound is exactly 0, with nothing wrong the upper
/// bound is exactly 1, and without observations the interval is `0..=1`.
pub fn interval(score: Score) -> Interval {
    interval_at(score, Z_95)
}

/// [`interval`] with the confidence that belongs to the normal quantile z.
pub fn interval_at(score: Score, z: f64) -> Interval {
    let Some(p) = score.accuracy() else {
        return Interval { low: 0.0, high: 1.0 };
    };
    let n = real(score.n());
    let z_squared = z * z;
    let centre = p + z_squared / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z_squared / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z_squared / n;
    // The bounds at 0 and 1 are exact in theory and off by a rounding error in practice.
    Interval {
        low: if score.correct == 0 { 0.0 } else { ((centre - reach) / scale).min(p).max(0.0) },
        high: if score.wrong == 0 { 1.0 } else { ((centre + reach) / scale).max(p).min(1.0) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value() {
        let Interval { low, high } = interval(Score::new(17, 3));
        assert_eq!((format!("{low:.3}"), format!("{high:.3}")), ("0.640".into(), "0.948".into()));
    }

    #[test]
    fn edges() {
        assert_eq!(interval(Score::new(0, 0)), Interval { low: 0.0, high: 1.0 });
        let none = interval(Score::new(0, 10));
        let all = interval(Score::new(10, 0));
        assert_eq!((none.low, all.high), (0.0, 1.0));
        assert!((none.high - 0.277_532_8).abs() < 1e-6, "{none:?}");
        assert!((none.high + all.low - 1.0).abs() < 1e-12);
        let million = interval(Score::new(900_000, 100_000));
        assert!(million.high - million.low < 0.0012, "{million:?}");
    }
}

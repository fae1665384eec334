//! The two tails of a discrete distribution known by the ratio of neighbouring probabilities alone.

/// A probability relative to the sum so far, below which the rest of a tail no longer shows in an `f64`.
const NEGLIGIBLE: f64 = 1e-18;

/// P(X < threshold) and P(X ≥ threshold). The smaller of the two is as precise, relatively, as the larger.
pub(super) struct Tails {
    pub(super) below: f64,
    pub(super) from: f64,
}

/// Sums a log-concave distribution on `low..=high` outwards from (about) its mode, where `ratio(i)` is P(i+1) / P(i),
/// and normalises by the total.
///
/// No gamma function is needed, so that nothing is lost to the difference of large logarithms: at counts of 10⁶ that
/// would cost seven digits. As terms vanish some 38 standard deviations from the mode, the time grows with the square
/// root of the range.
pub(super) fn tails(low: u64, high: u64, mode: u64, threshold: u64, ratio: impl Fn(u64) -> f64) -> Tails {
    let mode = mode.min(high).max(low);
    let (mut below, mut from) = (0.0, 0.0);
    let mut add = |index: u64, term: f64| {
        let tail = if index < threshold { &mut below } else { &mut from };
        *tail += term;
        *tail
    };
    add(mode, 1.0);
    let mut term = 1.0;
    for index in mode..high {
        term *= ratio(index);
        let tail = add(index + 1, term);
        if term == 0.0 || (index + 1 >= threshold && term < NEGLIGIBLE * tail) {
            break;
        }
    }
    term = 1.0;
    for index in (low..mode).rev() {
        term /= ratio(index);
        let tail = add(index, term);
        if term == 0.0 || (index < threshold && term < NEGLIGIBLE * tail) {
            break;
        }
    }
    let total = below + from;
    Tails { below: below / total, from: from / total }
}

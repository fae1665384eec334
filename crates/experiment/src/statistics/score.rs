//! The counts that the formulas take, and the interval that many of them return.

use serde::Serialize;

use super::real;

/// How often a variant was right on labelled sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Observations whose outcome is the expected one.
    pub correct: u64,
    /// Labelled observations with any other outcome, `unsure` included.
    pub wrong: u64,
}

impl Score {
    /// A score from the number of correct observations and of those that were not.
    pub const fn new(correct: u64, wrong: u64) -> Self {
        Self { correct, wrong }
    }

    /// Labelled observations in all.
    pub const fn n(self) -> u64 {
        self.correct.saturating_add(self.wrong)
    }

    /// The accuracy, in `0..=1`; `None` without observations.
    pub fn accuracy(self) -> Option<f64> {
        (self.n() > 0).then(|| real(self.correct) / real(self.n()))
    }

    /// The accuracy as if one more answer had been right and one wrong, `(correct + 1) / (n + 2)`: never 0 or 1, so
    /// that a standard error made of it is never zero (Agresti and Caffo 2000). It is the mean of the posterior
    /// Beta(1 + correct, 1 + wrong) as well.
    pub(super) fn smoothed(self) -> f64 {
        (real(self.correct) + 1.0) / (real(self.n()) + 2.0)
    }
}

/// Labelled sentences that both variants saw, by which of the two was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// Both right (a).
    pub both: u64,
    /// Only the first right (b).
    pub only_first: u64,
    /// Only the second right (c).
    pub only_second: u64,
    /// Neither right (d).
    pub neither: u64,
}

impl Pairs {
    /// Pairs in all.
    pub const fn n(self) -> u64 {
        self.first().n()
    }

    /// The first variant's score on these sentences.
    pub const fn first(self) -> Score {
        Score::new(self.both.saturating_add(self.only_first), self.only_second.saturating_add(self.neither))
    }

    /// The second variant's score on these sentences.
    pub const fn second(self) -> Score {
        Score::new(self.both.saturating_add(self.only_second), self.only_first.saturating_add(self.neither))
    }

    /// The same sentences with first and second exchanged.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Self { only_first: self.only_second, only_second: self.only_first, ..self }
    }
}

/// A closed interval, `low ≤ high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// Every possible difference of two shares: what is known before the first observation.
    pub const ANY_DIFFERENCE: Self = Self { low: -1.0, high: 1.0 };

    /// Whether the value lies in the interval, its bounds included.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The interval of the negated quantity: of second − first, given first − second.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }
}

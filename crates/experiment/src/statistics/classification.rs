//! Confusion matrix, accuracy and macro-F1.

use serde::Serialize;

use super::{Score, real};

/// How often each outcome was given for each expected label. Outcomes that are not labels (`unsure`) share one column,
/// which is wrong for every label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    labels: usize,
    /// Row by row: for each expected label, a count for each label and one for anything else.
    counts: Vec<u64>,
}

/// Precision, recall and F1 of one label, each in `0..=1`; `None` where there is nothing to take the share of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Of the observations given this outcome, the share that should have been.
    pub precision: Option<f64>,
    /// Of the observations that should have been given this outcome, the share that was.
    pub recall: Option<f64>,
    /// `2PR / (P + R)`, 0 where both are 0.
    pub f1: Option<f64>,
}

impl Confusion {
    /// An empty matrix over so many labels, which are known by their position from here on.
    pub fn new(labels: usize) -> Self {
        Self { labels, counts: vec![0; labels * (labels + 1)] }
    }

    /// Counts an observation. `outcome` is `None`, or anything beyond the labels, for an answer that is not a label. An
    /// `expected` beyond the labels is not counted.
    pub fn add(&mut self, expected: usize, outcome: Option<usize>) {
        self.add_many(expected, outcome, 1);
    }

    /// Counts so many observations.
    pub fn add_many(&mut self, expected: usize, outcome: Option<usize>, observations: u64) {
        if expected < self.labels {
            let column = outcome.unwrap_or(self.labels).min(self.labels);
            let count = &mut self.counts[expected * (self.labels + 1) + column];
            *count = count.saturating_add(observations);
        }
    }

    /// For each expected label, how often each label was the outcome, and last how often none was.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks(self.labels + 1)
    }

    /// Correct and wrong observations; an outcome that is not a label is wrong.
    pub fn score(&self) -> Score {
        let correct = self.rows().enumerate().fold(0_u64, |sum, (label, row)| sum.saturating_add(row[label]));
        let all = self.counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        Score::new(correct, all - correct)
    }

    /// Precision, recall and F1 of each label.
    pub fn by_label(&self) -> impl Iterator<Item = Quality> {
        self.rows().enumerate().map(|(label, row)| {
            let hits = real(row[label]);
            let expected: f64 = row.iter().copied().map(real).sum();
            let given: f64 = self.rows().map(|row| real(row[label])).sum();
            let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
            Quality {
                precision: share(hits, given),
                recall: share(hits, expected),
                f1: share(2.0 * hits, given + expected),
            }
        })
    }

    /// The mean of the labels' F1, in `0..=1`. A label that was neither expected nor given has none and is left out
    /// of the mean; `None` where that is true of all.
    pub fn macro_f1(&self) -> Option<f64> {
        let (sum, labels) =
            self.by_label().filter_map(|label| label.f1).fold((0.0, 0.0), |(sum, n), f1| (sum + f1, n + 1.0));
        (labels > 0.0).then(|| sum / labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(rows: [[u64; 4]; 3]) -> Confusion {
        Confusion { labels: 3, counts: rows.as_flattened().to_vec() }
    }

    #[test]
    fn by_hand() {
        // Precision 8/10, 6/10, 9/10; recall 8/10, 6/10, 9/12.
        let matrix = confusion([[8, 2, 0, 0], [2, 6, 1, 1], [0, 2, 9, 1]]);
        assert_eq!(matrix.score(), Score::new(23, 9));
        let expected = (0.8 + 0.6 + 2.0 * 0.9 * 0.75 / (0.9 + 0.75)) / 3.0;
        assert!((matrix.macro_f1().unwrap() - expected).abs() < 1e-15);
    }

    #[test]
    fn unsure_counts_as_wrong_for_its_true_label() {
        let mut sure = Confusion::new(3);
        let mut unsure = Confusion::new(3);
        for label in 0..3 {
            for _ in 0..10 {
                sure.add(label, Some(label));
                unsure.add(label, Some(label));
            }
        }
        unsure.add(0, None);
        assert_eq!(sure.macro_f1(), Some(1.0));
        assert_eq!(unsure.score(), Score::new(30, 1));
        let quality = unsure.by_label().next().unwrap();
        assert_eq!((quality.precision, quality.recall), (Some(1.0), Some(10.0 / 11.0)));
    }

    #[test]
    fn edges() {
        assert_eq!(Confusion::new(3).macro_f1(), None);
        assert_eq!(Confusion::new(0).score(), Score::default());
        assert_eq!(confusion([[0, 5, 0, 0], [0; 4], [0; 4]]).macro_f1(), Some(0.0));
        // No negative sentence in the data, and none answered so: a perfect answer is still perfect.
        assert_eq!(confusion([[5, 0, 0, 0], [0, 5, 0, 0], [0; 4]]).macro_f1(), Some(1.0));
        let mut matrix = Confusion::new(2);
        matrix.add(2, Some(0));
        matrix.add(0, Some(7));
        assert_eq!(matrix.score(), Score::new(0, 1));
    }
}

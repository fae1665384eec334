//! One variant's numbers.

use serde::Serialize;

use crate::{
    Fingerprint,
    journal::Evidence,
    statistics::{Interval, Score, classification::Quality, real, wilson},
};

use super::{
    latency::Latency,
    observation::{CurrentVariant, Outcomes},
    tally::VariantTally,
};

/// One variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantReport {
    /// The label of its store.
    pub label: String,
    /// Its weight in the assignment.
    pub weight: u32,
    /// Its current prompt.
    pub fingerprint: Fingerprint,
    /// Its current model.
    pub model: String,
    /// Observations of that prompt and model.
    pub n: u64,
    /// Observations of any other, which count nowhere else.
    pub stale: u64,
    /// The labels in their order, then what is none of them.
    pub outcomes: Vec<OutcomeCount>,
    /// The share without an outcome.
    pub unsure_rate: Option<Proportion>,
    /// The share of labelled observations that are right; of live ones, by visitors' votes.
    pub accuracy: Option<Proportion>,
    /// The accuracy by annotations of sentences that were drawn; `None` until some are annotated on which the
    /// prompts agree and some on which they differ.
    pub annotated_accuracy: Option<Estimate>,
    /// The mean of the labels' F1.
    pub macro_f1: Option<f64>,
    /// Labelled observations, a row for each expected label.
    pub confusion: Vec<ConfusionRow>,
    /// How long inferences took.
    pub latency: Option<Latency>,
    /// How many tokens they took.
    pub tokens: Option<Tokens>,
}

/// How often an outcome was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeCount {
    /// The outcome's name.
    pub outcome: String,
    /// Observations with it.
    pub count: u64,
    /// Their share of the variant's observations.
    pub share: Option<f64>,
}

/// A share with the number of observations it is of and its Wilson 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proportion {
    /// Observations that have the property.
    pub count: u64,
    /// Observations in all.
    pub n: u64,
    /// `count / n`.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Proportion {
    /// The share of correct observations; `None` without observations.
    pub fn of(score: Score) -> Option<Self> {
        let value = score.accuracy()?;
        let interval = wilson::interval(score);
        Some(Self { count: score.correct, n: score.n(), value, low: interval.low, high: interval.high })
    }
}

/// An estimate with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The labelled observations of one expected label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfusionRow {
    /// The expected label.
    pub expected: String,
    /// How often each outcome was given, in the order of [`VariantReport::outcomes`].
    pub counts: Vec<u64>,
    /// What that says about the label.
    #[serde(flatten)]
    pub quality: Quality,
}

/// Tokens, as the model counted them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tokens {
    /// Observations with a count.
    pub n: u64,
    /// Tokens of rendered prompts, in all.
    pub prompt: u64,
    /// Tokens generated, in all.
    pub generated: u64,
    /// Tokens of a rendered prompt, on average.
    pub prompt_mean: f64,
    /// Tokens generated, on average.
    pub generated_mean: f64,
}

/// The report of what was counted of a variant.
pub(super) fn of(
    variant: &CurrentVariant,
    tally: &VariantTally,
    outcomes: &Outcomes,
    evidence: Option<&Evidence>,
) -> VariantReport {
    let annotated = evidence.and_then(|evidence| evidence.accuracy(variant.prompt));
    let n = tally.n;
    let unsure = tally.outcomes.last().copied().unwrap_or_default();
    let counted = outcomes.names().zip(&tally.outcomes);
    let confusion = outcomes.labels.iter().zip(tally.confusion.rows()).zip(tally.confusion.by_label());
    let tokens = tally.tokens;
    VariantReport {
        label: variant.label.clone(),
        weight: variant.weight,
        fingerprint: variant.prompt,
        model: variant.model.clone(),
        n,
        stale: tally.stale,
        outcomes: counted
            .map(|(outcome, &count)| OutcomeCount {
                outcome: outcome.to_owned(),
                count,
                share: (n > 0).then(|| real(count) / real(n)),
            })
            .collect(),
        unsure_rate: Proportion::of(Score::new(unsure, n - unsure)),
        accuracy: Proportion::of(tally.confusion.score()),
        annotated_accuracy: annotated.map(|(value, Interval { low, high })| Estimate { value, low, high }),
        macro_f1: tally.confusion.macro_f1(),
        confusion: confusion
            .map(|((expected, counts), quality)| ConfusionRow {
                expected: expected.clone(),
                counts: counts.to_vec(),
                quality,
            })
            .collect(),
        latency: tally.latencies.summary(),
        tokens: (tokens.n > 0).then(|| Tokens {
            n: tokens.n,
            prompt: tokens.prompt,
            generated: tokens.generated,
            prompt_mean: real(tokens.prompt) / real(tokens.n),
            generated_mean: real(tokens.generated) / real(tokens.n),
        }),
    }
}

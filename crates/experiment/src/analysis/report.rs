//! The report: all numbers of an experiment, as plain data.

use serde::Serialize;

use crate::{
    Fingerprint,
    statistics::{
        Score,
        always_valid::Plan,
        classification::Quality,
        real,
        sample_ratio::{self, Assigned},
        wilson,
    },
};

use super::{
    Analysis, Comparison, CurrentVariant, Latency, Notice, Phase, Verdict, Warning,
    accumulator::pairs_of,
    comparison::{self, Scored},
    observation::Outcomes,
    tally::VariantTally,
};

/// All numbers of an experiment. Shares and probabilities are in `0..=1`, times in milliseconds. What cannot be told,
/// for want of observations, is `None`, in JSON `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Each variant.
    pub variants: Vec<VariantReport>,
    /// Each two variants, the first with the second, the first with the third, and so on.
    pub comparisons: Vec<Comparison>,
    /// Whether there is one that beats every other; `None` for a single variant.
    pub decision: Option<Verdict>,
    /// The check of the assignments against the weights, phase by phase.
    pub sample_ratio: Vec<SampleRatioReport>,
    /// What endangers a conclusion.
    pub warnings: Vec<Notice>,
    /// How the numbers came about.
    pub method: Method,
}

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
    /// The share of labelled observations that are right.
    pub accuracy: Option<Proportion>,
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

/// A share with the number of observations it is of and its Wilson 95 % interval.
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

/// The labelled observations of one expected label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfusionRow {
    /// The expected label.
    pub expected: String,
    /// How often each outcome was given, in the order of [`VariantReport::outcomes`].
    pub counts: Vec<u64>,
    /// What that says of the label.
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

/// The check of one phase's assignments against its weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleRatioReport {
    /// The phase, counted from 1.
    pub phase: usize,
    /// Assignments of variants with a weight.
    pub n: u64,
    /// Each variant's assignments.
    pub variants: Vec<AssignedReport>,
    /// Of the χ² test.
    pub p_value: f64,
    /// Whether it is flagged: p < 0.001 with enough assignments.
    pub mismatch: bool,
}

/// One variant's assignments in one phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssignedReport {
    /// The variant's label.
    pub label: String,
    /// Its weight then.
    pub weight: u32,
    /// Its assignments.
    pub assigned: u64,
}

/// How the numbers came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Method {
    /// The accepted probability of ever naming a winner among equals.
    pub alpha: f64,
    /// The same for each comparison, as they share it (Bonferroni).
    pub alpha_each: f64,
    /// The number of observations for which the always-valid interval is tightest.
    pub planned: u64,
    /// Labelled observations of each variant (or pairs) before which nothing is decided.
    pub minimum_labelled: u64,
    /// The smallest difference of accuracies that is worth finding: what is still needed is computed for it.
    pub worth_finding: f64,
    /// The same in words.
    pub description: &'static str,
}

const DESCRIPTION: &str = "A winner is named once the always-valid interval of the difference (an asymptotic confidence \
    sequence, arXiv 2103.06476) excludes zero. It holds however often one looks. Intervals of one accuracy are Wilson's, \
    fixed intervals of a difference Newcombe's, both 95 %; these, McNemar's exact test, the chance to win and the expected \
    loss describe the observations and decide nothing.";

/// From this share of observations without an outcome on, a warning says so.
const MANY_UNSURE: f64 = 0.2;

pub(super) fn of(analysis: &Analysis) -> Report {
    let variants: Vec<_> =
        analysis.variants.iter().map(|(variant, tally)| one(variant, tally, &analysis.outcomes)).collect();
    let scored: Vec<Scored<'_>> = analysis
        .variants
        .iter()
        .map(|(variant, tally)| (variant.label.as_str(), tally.confusion.score()))
        .collect();
    let plan = analysis.plan.shared_by(analysis.pairs.len());
    let comparisons: Vec<_> = pairs_of(scored.len())
        .zip(&analysis.pairs)
        .map(|((first, second), tally)| comparison::of(scored[first], scored[second], tally, plan))
        .collect();
    let phases = analysis.phases.iter().zip(1..);
    let phases: Vec<_> =
        phases.filter_map(|(phase, number)| sample_ratio_of(analysis, phase, number)).collect();
    Report {
        decision: comparison::overall(&scored, &comparisons),
        warnings: warnings(analysis, &variants, &comparisons, &phases)
            .into_iter()
            .map(Notice::from)
            .collect(),
        variants,
        comparisons,
        sample_ratio: phases,
        method: method(analysis.plan, plan),
    }
}

fn one(variant: &CurrentVariant, tally: &VariantTally, outcomes: &Outcomes) -> VariantReport {
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
        unsure_rate: proportion(Score::new(unsure, n - unsure)),
        accuracy: proportion(tally.confusion.score()),
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

fn proportion(score: Score) -> Option<Proportion> {
    let value = score.accuracy()?;
    let interval = wilson::interval(score);
    Some(Proportion { count: score.correct, n: score.n(), value, low: interval.low, high: interval.high })
}

fn sample_ratio_of(analysis: &Analysis, phase: &Phase, number: usize) -> Option<SampleRatioReport> {
    let counted = || phase.weights.iter().zip(&phase.assigned);
    let assigned: Vec<_> =
        counted().map(|(&weight, &count)| Assigned { count, weight: f64::from(weight) }).collect();
    let ratio = sample_ratio::test(&assigned)?;
    let variants = analysis.variants.iter().zip(counted());
    Some(SampleRatioReport {
        phase: number,
        n: ratio.n,
        variants: variants
            .map(|((variant, _), (&weight, &assigned))| AssignedReport {
                label: variant.label.clone(),
                weight,
                assigned,
            })
            .collect(),
        p_value: ratio.p_value,
        mismatch: ratio.mismatch,
    })
}

fn warnings(
    analysis: &Analysis,
    variants: &[VariantReport],
    comparisons: &[Comparison],
    phases: &[SampleRatioReport],
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for phase in phases.iter().filter(|phase| phase.mismatch) {
        warnings.push(Warning::SampleRatioMismatch { phase: phase.phase, assignments: phase.n });
    }
    if analysis.phases.windows(2).any(|two| !same_shares(&two[0].weights, &two[1].weights)) {
        warnings.push(Warning::WeightsChanged { phases: analysis.phases.len() });
    }
    for (pair, comparison) in pairs_of(variants.len()).zip(comparisons) {
        let (one, other) = (&variants[pair.0], &variants[pair.1]);
        let labels = || (one.label.clone(), other.label.clone());
        let (first, second) = labels();
        if one.model != other.model {
            warnings.push(Warning::DifferentModels { first, second });
        } else if one.fingerprint == other.fingerprint {
            warnings.push(Warning::SamePrompt { first, second });
        }
        let sentences = comparison.seen_by_both.conflicting_labels;
        if sentences > 0 {
            let (first, second) = labels();
            warnings.push(Warning::ConflictingLabels { first, second, sentences });
        }
    }
    for variant in variants {
        warnings.extend(warnings_of(variant, analysis.plan));
    }
    warnings
}

fn same_shares(one: &[u32], other: &[u32]) -> bool {
    let sum = |weights: &[u32]| weights.iter().map(|weight| u128::from(*weight)).sum::<u128>();
    let (one_sum, other_sum) = (sum(one), sum(other));
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| u128::from(*a) * other_sum == u128::from(*b) * one_sum)
}

fn warnings_of(variant: &VariantReport, plan: Plan) -> impl Iterator<Item = Warning> {
    let name = || variant.label.clone();
    let labelled = variant.accuracy.map_or(0, |accuracy| accuracy.n);
    let few_labels = (labelled < plan.minimum_labelled).then(|| Warning::FewLabels {
        variant: name(),
        labelled,
        minimum: plan.minimum_labelled,
    });
    let stale =
        (variant.stale > 0).then(|| Warning::StaleObservations { variant: name(), stale: variant.stale });
    // The lower bound, so that two of ten observations are no alarm.
    let many_unsure = variant
        .unsure_rate
        .filter(|rate| rate.low > MANY_UNSURE)
        .map(|rate| Warning::ManyUnsure { variant: name(), unsure: rate.count, n: rate.n });
    [few_labels, stale, many_unsure].into_iter().flatten()
}

fn method(plan: Plan, shared: Plan) -> Method {
    Method {
        alpha: plan.alpha,
        alpha_each: shared.alpha,
        planned: plan.planned,
        minimum_labelled: plan.minimum_labelled,
        worth_finding: plan.worth_finding,
        description: DESCRIPTION,
    }
}

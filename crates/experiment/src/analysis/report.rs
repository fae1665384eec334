//! The report: all numbers of an experiment, as plain data.

use serde::Serialize;

use crate::{
    journal::Evidence,
    statistics::decision::{Looks, Plan},
};

use super::{
    comparison::{self, Comparison, Scored, Status, Verdict},
    observation::{CurrentVariant, Outcomes},
    sample_ratio::{self, Phase, SampleRatioReport, same_shares},
    tally::{PairTally, VariantTally, pairs_of},
    variant::{self, VariantReport},
    warning::{Notice, Warning},
};

/// What was counted, and what of.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) outcomes: Outcomes,
    pub(super) plan: Plan,
    pub(super) variants: Vec<(CurrentVariant, VariantTally)>,
    /// One for each two variants, in the order of [`pairs_of`].
    pub(super) pairs: Vec<PairTally>,
    pub(super) phases: Vec<Phase>,
    /// What people who signed in said.
    pub(super) evidence: Option<Evidence>,
}

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

/// How the numbers came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Method {
    /// How often people look, which says which interval decides.
    pub looks: Looks,
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
}

/// From this share of observations without an outcome on, a warning says so.
const MANY_UNSURE: f64 = 0.2;

pub(super) fn of(counted: &Counted) -> Report {
    let Counted { outcomes, plan, variants: current, pairs, phases, evidence } = counted;
    let variants: Vec<_> = current
        .iter()
        .map(|(variant, tally)| variant::of(variant, tally, outcomes, evidence.as_ref()))
        .collect();
    let scored: Vec<Scored<'_>> =
        current.iter().map(|(variant, tally)| (variant.label.as_str(), tally.confusion.score())).collect();
    let mut shared = plan.shared_by(pairs.len());
    if let Some(evidence) = evidence.as_ref().filter(|_| plan.looks == Looks::Any) {
        shared.alpha = evidence.alpha_each();
    }
    let annotated = |first: usize, second: usize| {
        let evidence = evidence.as_ref()?;
        Some(evidence.disagreements(current[first].0.prompt, current[second].0.prompt))
    };
    let comparisons: Vec<_> = pairs_of(scored.len())
        .zip(pairs)
        .map(|((first, second), tally)| {
            if current[first].0.is_same_as(&current[second].0) {
                comparison::of_identical(scored[first], scored[second], tally, shared)
            } else {
                comparison::of(scored[first], scored[second], tally, shared, annotated(first, second))
            }
        })
        .collect();
    let sample_ratio: Vec<_> = phases
        .iter()
        .zip(1..)
        .filter_map(|(phase, number)| sample_ratio::of(phase, number, current))
        .collect();
    Report {
        decision: comparison::overall(&scored, &comparisons),
        warnings: warnings(counted, &variants, &comparisons, &sample_ratio)
            .into_iter()
            .map(Notice::from)
            .collect(),
        variants,
        comparisons,
        sample_ratio,
        method: Method {
            looks: plan.looks,
            alpha: plan.alpha,
            alpha_each: shared.alpha,
            planned: plan.planned,
            minimum_labelled: plan.minimum_labelled,
            worth_finding: plan.worth_finding,
        },
    }
}

fn warnings(
    counted: &Counted,
    variants: &[VariantReport],
    comparisons: &[Comparison],
    phases: &[SampleRatioReport],
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for phase in phases.iter().filter(|phase| phase.mismatch) {
        warnings.push(Warning::SampleRatioMismatch { phase: phase.phase, assignments: phase.n });
    }
    if counted.phases.windows(2).any(|two| !same_shares(&two[0].weights, &two[1].weights)) {
        warnings.push(Warning::WeightsChanged { phases: counted.phases.len() });
    }
    for (pair, comparison) in pairs_of(variants.len()).zip(comparisons) {
        let (one, other) = (&variants[pair.0], &variants[pair.1]);
        let labels = || (one.label.clone(), other.label.clone());
        let (first, second) = labels();
        if one.model != other.model {
            warnings.push(Warning::DifferentModels { first, second });
        } else if comparison.decision.status == Status::Identical {
            warnings.push(Warning::SamePrompt { first, second });
        }
        let sentences = comparison.seen_by_both.conflicting_labels;
        if sentences > 0 {
            let (first, second) = labels();
            warnings.push(Warning::ConflictingLabels { first, second, sentences });
        }
    }
    let disputed = counted.evidence.as_ref().map_or(0, Evidence::disputed);
    if disputed > 0 {
        warnings.push(Warning::DisputedAnnotations { sentences: disputed });
    }
    warnings.extend(small_data_set(counted.plan, variants, comparisons));
    warnings.extend(variants.iter().flat_map(of_observations));
    warnings
}

/// Too few sentences for a decision; nothing where more of them would not help.
fn small_data_set(plan: Plan, variants: &[VariantReport], comparisons: &[Comparison]) -> Option<Warning> {
    let minimum = plan.minimum_labelled;
    let identical = |one: &Comparison| one.decision.status == Status::Identical;
    if plan.looks != Looks::Once || (variants.len() > 1 && comparisons.iter().all(identical)) {
        return None;
    }
    let sentences = variants.iter().map(|variant| variant.n).max().unwrap_or(0);
    (sentences > 0 && sentences < minimum).then_some(Warning::SmallDataSet { sentences, minimum })
}

fn of_observations(variant: &VariantReport) -> impl Iterator<Item = Warning> {
    let name = || variant.label.clone();
    let stale =
        (variant.stale > 0).then(|| Warning::StaleObservations { variant: name(), stale: variant.stale });
    // The lower bound, so that two of ten observations are no alarm.
    let many_unsure = variant
        .unsure_rate
        .filter(|rate| rate.low > MANY_UNSURE)
        .map(|rate| Warning::ManyUnsure { variant: name(), unsure: rate.count, n: rate.n });
    [stale, many_unsure].into_iter().flatten()
}

//! Which variant is better, or what is still needed to say so, and what to do next.

use serde::Serialize;

use crate::{
    analysis::{Annotated, Comparison, Looks, Report, Status, Verdict},
    numbers::{count, counted, rounded, size},
    statistics::sign_test::Disagreements,
};

use super::deciding;

/// The conclusion about all variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Whether it may look settled: there is a winner, and nothing puts the assignments in doubt.
    pub settled: bool,
    /// The conclusion in a few words.
    pub heading: String,
    /// Why, and what is still needed, in some sentences.
    pub text: String,
    /// What to do next.
    pub next: Option<NextStep>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// Which kind of step it is, for whoever shows the way to it.
    pub step: Step,
    /// It in words.
    pub text: String,
}

/// Kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Ask for the outcome of more sentences.
    Analyse,
    /// Annotate sentences on which the prompts differ.
    Annotate,
    /// Make the winner the only prompt.
    Promote,
}

pub(super) fn of(report: &Report) -> Conclusion {
    let observed: u64 = report.variants.iter().map(|variant| variant.n).sum();
    if observed == 0 {
        return nothing_observed(report);
    }
    let live = report.method.looks == Looks::Any;
    let (heading, mut sentences, mut next) = match &report.decision {
        None => {
            let advice = if live {
                "Add a second variant to compare it with."
            } else {
                "Name a second prompt to compare it with."
            };
            ("One prompt, nothing to compare".to_owned(), vec![advice.to_owned()], None)
        }
        Some(decision) => {
            let next = match (decision.status, decision.needed_more) {
                (Status::Decided, _) => decision.winner.as_ref().map(|winner| NextStep {
                    step: Step::Promote,
                    text: format!("Make {winner} the only prompt"),
                }),
                (Status::NotDecided, Some(_)) => Some(more_annotations(report)),
                _ => None,
            };
            (heading(decision, report), reasons(decision, report), next)
        }
    };
    if live {
        sentences.push(so_far(report, observed));
    } else {
        next = None;
    }
    let doubtful = report.sample_ratio.iter().any(|phase| phase.mismatch);
    let decided = report.decision.as_ref().is_some_and(|decision| decision.status == Status::Decided);
    Conclusion { settled: decided && !doubtful, heading, text: sentences.join(" "), next }
}

/// The conclusion about two variants, for a report that has more.
pub(super) fn of_two(comparison: &Comparison, report: &Report) -> Vec<String> {
    let decision = &comparison.decision;
    let mut sentences = vec![format!("{}.", heading(decision, report))];
    if decision.status == Status::NotDecided {
        sentences.extend(reasons(decision, report));
    }
    sentences
}

fn nothing_observed(report: &Report) -> Conclusion {
    let stale = report.variants.iter().any(|variant| variant.stale > 0);
    let heading = if stale { "No observations of the current prompts yet" } else { "No observations yet" };
    Conclusion {
        settled: false,
        heading: heading.to_owned(),
        text: "Each answer from the model becomes an observation of the prompt that was used.".to_owned(),
        next: Some(NextStep { step: Step::Analyse, text: "Analyse some sentences".to_owned() }),
    }
}

fn heading(decision: &Verdict, report: &Report) -> String {
    match (decision.status, &decision.winner) {
        (Status::Decided, Some(winner)) => format!("{winner} is better"),
        (Status::Identical, _) => "The prompts are identical".to_owned(),
        _ if decision.needed_more.is_none() => "Practically the same".to_owned(),
        _ if report.method.looks == Looks::Once => "Not decided".to_owned(),
        _ => "Not decided yet".to_owned(),
    }
}

fn reasons(decision: &Verdict, report: &Report) -> Vec<String> {
    match (decision.status, &decision.winner) {
        (Status::Decided, Some(winner)) => evidence_for(winner, report),
        (Status::Identical, _) => vec!["There is nothing to decide.".to_owned()],
        _ => need(decision, report),
    }
}

fn evidence_for(winner: &str, report: &Report) -> Vec<String> {
    let over = report.comparisons.iter().filter(|one| {
        (one.first == winner || one.second == winner) && one.decision.status == Status::Decided
    });
    match report.method.looks {
        Looks::Any => over.map(|one| annotations_for(winner, one, report)).collect(),
        Looks::Once => {
            let over: Vec<String> = over
                .map(|one| {
                    let by = one.difference.map_or(0.0, |difference| difference.value);
                    let of = counted(one.n, "labelled sentence");
                    format!("{} more often than {} ({of})", size(by), other(winner, one))
                })
                .collect();
            let differences = if over.len() == 1 { "the difference" } else { "each difference" };
            vec![
                format!("Right {}.", over.join(" and ")),
                format!("The {} of {differences} excludes zero.", deciding(&report.method)),
            ]
        }
    }
}

/// What people said where the two differ.
fn annotations_for(winner: &str, one: &Comparison, report: &Report) -> String {
    let Some(Annotated { counts: Disagreements { annotated, signs, .. }, evidence, .. }) = one.annotated
    else {
        return String::new();
    };
    let (won, lost) =
        if one.first == winner { (signs.first, signs.second) } else { (signs.second, signs.first) };
    let other = other(winner, one);
    format!(
        "Of {} on which the two differ, {winner} alone is right on {} and {other} alone on {}: evidence {}, \
         where {} is enough.",
        counted(annotated, "annotated sentence"),
        count(won),
        count(lost),
        strength(evidence),
        strength(1.0 / report.method.alpha_each),
    )
}

fn other<'c>(winner: &str, one: &'c Comparison) -> &'c str {
    if one.first == winner { &one.second } else { &one.first }
}

fn need(decision: &Verdict, report: &Report) -> Vec<String> {
    if report.method.looks == Looks::Once {
        return vec![match (decision.assumed_difference, decision.needed_more) {
            (None, _) => {
                "There are too few labelled sentences to estimate how many are still needed.".to_owned()
            }
            (Some(assumed), Some(needed)) => format!(
                "If one is better by {}, about {} {} enough for a decision in 8 of 10 cases.",
                size(assumed),
                counted(needed, "more labelled sentence"),
                if needed == 1 { "is" } else { "are" }
            ),
            (Some(assumed), None) => format!(
                "Finding a difference as small as {} takes more than a million more labelled sentences.",
                size(assumed)
            ),
        }];
    }
    let drawn = report.comparisons.iter().filter_map(|one| Some(one.annotated?.counts.compared)).max();
    match (drawn, decision.needed_more) {
        (None, _) => vec!["The label `journal` is not linked, so nobody can annotate. Link a store to it.".to_owned()],
        (Some(0), _) => vec![
            "No new sentence has been answered by all prompts yet, and only sentences with different answers can \
             show which is better. The variable `shadow` sets the share of new sentences that all prompts answer, and `cargo ab \
             backfill` asks them about those already stored."
                .to_owned(),
        ],
        (_, Some(needed)) => {
            let mut sentences = vec![format!(
                "About {} {} enough for a decision in 8 of 10 cases.",
                counted(needed, "more annotated difference"),
                if needed == 1 { "is" } else { "are" }
            )];
            if let Some(new @ 1..) = decision.new_sentences {
                sentences.push(format!("Finding them takes about {}.", counted(new, "new sentence")));
            }
            sentences
        }
        (_, None) => vec!["Finding a difference this small takes more annotations than anybody will make.".to_owned()],
    }
}

/// How strong evidence is, to three digits.
pub(super) fn strength(evidence: f64) -> String {
    if evidence >= 1_000_000.0 { "above a million".to_owned() } else { rounded(evidence) }
}

/// To annotate what waits, or else to find more of it.
fn more_annotations(report: &Report) -> NextStep {
    let waits = |one: &Comparison| one.annotated.is_some_and(|it| it.counts.differ > it.counts.annotated);
    if report.comparisons.iter().any(waits) {
        NextStep { step: Step::Annotate, text: "Annotate where the prompts differ".to_owned() }
    } else {
        NextStep { step: Step::Analyse, text: "Analyse more sentences".to_owned() }
    }
}

fn so_far(report: &Report, observed: u64) -> String {
    let mut seen = vec![counted(observed, "observation"), counted(labelled(report), "vote")];
    let annotated = report.comparisons.iter().filter_map(|one| Some(one.annotated?.counts.annotated)).max();
    seen.extend(annotated.map(|annotated| counted(annotated, "annotated difference")));
    format!("So far there {} {}.", if observed == 1 { "is" } else { "are" }, listed(&seen))
}

/// `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => items.concat(),
    }
}

fn labelled(report: &Report) -> u64 {
    report.variants.iter().filter_map(|variant| Some(variant.accuracy?.n)).sum()
}

//! Which variant is better, or what is still needed to say so, and what to do next.

use serde::Serialize;

use crate::{
    analysis::{Comparison, Design, Looks, Report, Status, Verdict},
    numbers::{count, counted, size},
};

use super::deciding;

/// What may be said of all variants.
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
    /// Mark answers right or wrong.
    Label,
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
                "A second variant makes it a comparison."
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
                (Status::NotDecided, Some(_)) => Some(more_labels(report, observed)),
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

/// What may be said of two variants, for a report that has more.
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
        text: "Each answer of the model becomes an observation of the prompt that it was given.".to_owned(),
        next: Some(NextStep { step: Step::Analyse, text: "Analyse some sentences".to_owned() }),
    }
}

fn heading(decision: &Verdict, report: &Report) -> String {
    match (decision.status, &decision.winner) {
        (Status::Decided, Some(winner)) => format!("{winner} is better"),
        (Status::Identical, _) => "The prompts are identical".to_owned(),
        _ if decision.needed_more.is_none() && decision.assumed_difference.is_some() => {
            "Practically the same".to_owned()
        }
        _ if report.method.looks == Looks::Once => "Not decided".to_owned(),
        _ => "Not decided yet".to_owned(),
    }
}

fn reasons(decision: &Verdict, report: &Report) -> Vec<String> {
    match (decision.status, &decision.winner) {
        (Status::Decided, Some(winner)) => evidence_for(winner, report),
        (Status::Identical, _) => vec!["There is nothing to decide.".to_owned()],
        _ => vec![need(decision)],
    }
}

fn evidence_for(winner: &str, report: &Report) -> Vec<String> {
    let over = report.comparisons.iter().filter(|one| {
        (one.first == winner || one.second == winner) && one.decision.status == Status::Decided
    });
    let over: Vec<String> = over
        .map(|one| {
            let other = if one.first == winner { &one.second } else { &one.first };
            let by = one.difference.map_or(0.0, |difference| difference.value);
            let of = match one.design {
                Design::Paired => counted(one.n, "labelled sentence"),
                Design::Independent => counted(one.n, "labelled observation"),
            };
            format!("{} more often than {other} ({of})", size(by))
        })
        .collect();
    let differences = if over.len() == 1 { "the difference" } else { "each difference" };
    vec![
        format!("Right {}.", over.join(" and ")),
        format!("The {} of {differences} excludes zero.", deciding(&report.method)),
    ]
}

fn need(decision: &Verdict) -> String {
    let Some(assumed) = decision.assumed_difference else {
        return "There are too few labelled sentences to estimate how many are still needed.".to_owned();
    };
    match decision.needed_more {
        Some(needed) => format!(
            "If one is better by {}, about {} {} it in 8 of 10 cases.",
            size(assumed),
            counted(needed, "more labelled sentence"),
            if needed == 1 { "decides" } else { "decide" }
        ),
        None => format!(
            "A difference as small as {} takes more than a million more labelled sentences to find.",
            size(assumed)
        ),
    }
}

fn more_labels(report: &Report, observed: u64) -> NextStep {
    if labelled(report) < observed {
        NextStep { step: Step::Label, text: "Mark more answers right or wrong".to_owned() }
    } else {
        NextStep { step: Step::Analyse, text: "Analyse more sentences".to_owned() }
    }
}

fn so_far(report: &Report, observed: u64) -> String {
    let labelled = match labelled(report) {
        0 => "none of them".to_owned(),
        all if all == observed && all > 1 => "all of them".to_owned(),
        some if some == observed => "which is".to_owned(),
        some => format!("{} of them", count(some)),
    };
    format!(
        "So far there {} {}, {labelled} labelled.",
        if observed == 1 { "is" } else { "are" },
        counted(observed, "observation")
    )
}

fn labelled(report: &Report) -> u64 {
    report.variants.iter().filter_map(|variant| Some(variant.accuracy?.n)).sum()
}

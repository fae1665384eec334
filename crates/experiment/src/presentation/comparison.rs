//! Two variants compared.

use serde::Serialize;

use crate::{
    analysis::{Annotated, Comparison, Design, Difference, Looks, Report},
    numbers::{chance, count, counted, loss, p_value, points, range},
    statistics::sign_test::Disagreements,
};

use super::{Table, capitalised, conclusion, deciding};

/// Two variants compared, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparisonText {
    /// Which two.
    pub title: String,
    /// What is compared, and what may be said, in some sentences.
    pub text: String,
    /// What a chart of the difference shows, in one sentence; `None` without labels.
    pub chart: Option<String>,
    /// The figures, a row each; `None` without labels.
    pub figures: Option<Table>,
}

pub(super) fn of(comparison: &Comparison, report: &Report) -> ComparisonText {
    let Comparison { first, second, .. } = comparison;
    let live = report.method.looks == Looks::Any;
    let mut sentences = Vec::new();
    if live {
        sentences.extend(comparison.annotated.map(annotated));
    }
    sentences.push(basis(comparison, live));
    sentences.extend(overlap(comparison));
    if report.comparisons.len() > 1 {
        sentences.extend(conclusion::of_two(comparison, report));
    }
    let figures = figures(comparison, report);
    ComparisonText {
        title: format!("{second} compared with {first}"),
        text: sentences.join(" "),
        chart: charted(comparison).map(|difference| {
            format!(
                "{second} minus {first}: {} points; {} {}.",
                points(difference.value),
                deciding(&report.method),
                range(difference.deciding)
            )
        }),
        figures: figures.map(|rows| Table {
            caption: "The difference in figures".to_owned(),
            head: vec![String::new(), format!("{second} − {first}")],
            rows,
        }),
    }
}

/// The difference that a chart shows: by annotations where there are any, else by labels.
fn charted(comparison: &Comparison) -> Option<Difference> {
    comparison.annotated.and_then(|annotated| annotated.difference).or(comparison.difference)
}

/// What was drawn for people to annotate, and how much of it they have.
fn annotated(Annotated { counts, .. }: Annotated) -> String {
    let Disagreements { compared, differ, annotated, .. } = counts;
    if compared == 0 {
        return "No new sentence has been answered by both prompts yet.".to_owned();
    }
    let these = match (differ, annotated) {
        (0, _) => String::new(),
        (_, 0) => "; none of these is annotated".to_owned(),
        (_, 1) => "; 1 of these is annotated".to_owned(),
        (_, many) => format!("; {} of these are annotated", count(many)),
    };
    format!(
        "Both prompts answered {} and differ on {}{these}.",
        counted(compared, "new sentence"),
        count(differ)
    )
}

/// What the two are compared on.
fn basis(comparison: &Comparison, live: bool) -> String {
    let (n, seen) = (comparison.n, comparison.seen_by_both);
    match (comparison.difference, comparison.design) {
        (None, _) if live => "There are no votes on both variants to compare.".to_owned(),
        (None, _) => "There is nothing to compare until both variants have labelled observations.".to_owned(),
        (_, Design::Paired) if live => {
            format!("Votes are compared on {} that both answered.", counted(n, "sentence"))
        }
        (_, Design::Paired) if seen.n == n => format!(
            "Compared on {} that both answered; they disagree on {}.",
            counted(n, "labelled sentence"),
            count(seen.differ)
        ),
        (_, Design::Paired) => {
            format!("Compared on {} that both answered.", counted(n, "labelled sentence"))
        }
        (_, Design::Independent) => {
            format!("{} are compared, separately for each variant.", counted(n, "vote"))
        }
    }
}

/// What both answered, labelled or not, unless all of it is compared.
fn overlap(comparison: &Comparison) -> Option<String> {
    let seen = comparison.seen_by_both;
    let drawn = comparison.annotated.is_some_and(|annotated| annotated.counts.compared == seen.n);
    if drawn || (comparison.design == Design::Paired && seen.n == comparison.n) {
        return None;
    }
    if seen.n == 0 {
        return Some("No sentence was answered by both.".to_owned());
    }
    let both = counted(seen.n, "sentence");
    Some(format!("Both answered {both} and disagree on {}.", count(seen.differ)))
}

fn figures(comparison: &Comparison, report: &Report) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(Table::row(name, [value]));
    let Comparison { first, second, pairs, .. } = comparison;
    let live = report.method.looks == Looks::Any;
    if let Some(Annotated { counts, evidence, difference }) =
        comparison.annotated.filter(|it| it.counts.annotated > 0)
    {
        let Disagreements { annotated, signs, .. } = counts;
        row(
            "Annotated differences",
            format!(
                "{}: only {first} right {}, only {second} {}, neither {}",
                count(annotated),
                count(signs.first),
                count(signs.second),
                count(annotated.saturating_sub(signs.n()))
            ),
        );
        row(
            "Evidence (decides)",
            format!(
                "{} of {}",
                conclusion::strength(evidence),
                conclusion::strength(1.0 / report.method.alpha_each)
            ),
        );
        if let Some(difference) = difference {
            row("Difference in accuracy", format!("{} points", points(difference.value)));
            row("Interval at every look", format!("{} points", range(difference.deciding)));
        }
    }
    if let Some(difference) = comparison.difference {
        let in_points = |interval| format!("{} points", range(interval));
        if live {
            row("Difference by votes", format!("{} points", points(difference.value)));
            row("Its always-valid interval", in_points(difference.deciding));
            row("Its fixed 95% interval", in_points(difference.fixed));
        } else {
            row("Difference in accuracy", format!("{} points", points(difference.value)));
            row(
                &format!("{} (decides)", capitalised(&deciding(&report.method))),
                in_points(difference.deciding),
            );
        }
        if let Some(p) = comparison.mcnemar_p {
            row("McNemar’s exact test", format!("{} ({})", p_value(p), counted(pairs.n(), "pair")));
            row(
                "Right answers",
                format!(
                    "both {}, only {first} {}, only {second} {}, neither {}",
                    count(pairs.both),
                    count(pairs.only_first),
                    count(pairs.only_second),
                    count(pairs.neither)
                ),
            );
        }
        if let Some(win) = comparison.chance_to_win {
            row("Chance to win", format!("{first} {}, {second} {}", chance(win.first), chance(win.second)));
        }
        if let Some(lost) = comparison.expected_loss {
            row(
                "Expected loss if chosen",
                format!("{first} {}, {second} {}", loss(lost.first), loss(lost.second)),
            );
        }
    }
    (!rows.is_empty()).then_some(rows)
}

//! Two variants compared.

use serde::Serialize;

use crate::{
    analysis::{Comparison, Design, Looks, Report, Status},
    numbers::{chance, count, counted, loss, p_value, points, range},
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
    let mut sentences = vec![basis(comparison)];
    sentences.extend(overlap(comparison));
    if report.comparisons.len() > 1 {
        sentences.extend(conclusion::of_two(comparison, report));
    }
    let figures = figures(comparison, report);
    ComparisonText {
        title: format!("{second} compared with {first}"),
        text: sentences.join(" "),
        chart: comparison.difference.map(|difference| {
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

/// What the two are compared on.
fn basis(comparison: &Comparison) -> String {
    let (n, seen) = (comparison.n, comparison.seen_by_both);
    match (comparison.difference, comparison.design) {
        (None, _) => "There is nothing to compare until both variants have labelled observations.".to_owned(),
        (_, Design::Paired) if seen.n == n => format!(
            "Compared on {} that both answered; they disagree on {}.",
            counted(n, "labelled sentence"),
            count(seen.differ)
        ),
        (_, Design::Paired) => {
            format!("Compared on {} that both answered.", counted(n, "labelled sentence"))
        }
        (_, Design::Independent) => {
            format!("Compared on {}, each variant on its own.", counted(n, "labelled observation"))
        }
    }
}

/// What both answered, labelled or not, unless all of it is compared.
fn overlap(comparison: &Comparison) -> Option<String> {
    let seen = comparison.seen_by_both;
    if comparison.design == Design::Paired && seen.n == comparison.n {
        return None;
    }
    if seen.n == 0 {
        return Some("No sentence was answered by both.".to_owned());
    }
    let unlabelled = seen.differ_unlabelled;
    let label_first = match (comparison.decision.status, unlabelled) {
        (Status::NotDecided, 1..) => format!(
            "; {} of these {} no label. Label them first: only they tell the variants apart",
            count(unlabelled),
            if unlabelled == 1 { "has" } else { "have" }
        ),
        _ => String::new(),
    };
    let both = counted(seen.n, "sentence");
    Some(format!("Both answered {both} and disagree on {}{label_first}.", count(seen.differ)))
}

fn figures(comparison: &Comparison, report: &Report) -> Option<Vec<Vec<String>>> {
    let Comparison { first, second, pairs, .. } = comparison;
    let difference = comparison.difference?;
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(Table::row(name, [value]));
    let in_points = |interval| format!("{} points", range(interval));
    row("Difference of accuracy", format!("{} points", points(difference.value)));
    row(&format!("{} (decides)", capitalised(&deciding(&report.method))), in_points(difference.deciding));
    if report.method.looks == Looks::Any {
        row("Fixed 95% interval", in_points(difference.fixed));
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
    Some(rows)
}

//! Results for people at a terminal: the sentences of the presentation, and its tables.

use comfy_table::presets::ASCII_FULL_CONDENSED;
use experiment::presentation::{ComparisonText, Presentation, Step, Table};

use crate::terminal::program;

/// All of a presentation, the conclusion first.
pub(crate) fn presentation(presentation: &Presentation, winner: Option<&str>) -> String {
    let mut parts =
        vec![conclusion(presentation, winner), table(&presentation.variants), table(&presentation.outcomes)];
    parts.extend(presentation.confusions.iter().flatten().map(table));
    parts.extend(presentation.comparisons.iter().map(comparison));
    if !presentation.assignments.is_empty() {
        parts.push(presentation.assignments.join("\n"));
    }
    parts.join("\n\n")
}

fn conclusion(presentation: &Presentation, winner: Option<&str>) -> String {
    let conclusion = &presentation.conclusion;
    let next = conclusion.next.as_ref().map(|next| match (next.step, winner) {
        (Step::Promote, Some(winner)) => format!("\n{}: {} promote {winner}", next.text, program()),
        _ => format!("\n{}.", next.text),
    });
    format!("{}\n{}{}", conclusion.heading, conclusion.text, next.unwrap_or_default())
}

fn comparison(comparison: &ComparisonText) -> String {
    let ComparisonText { title, text, figures, .. } = comparison;
    let width =
        figures.iter().flat_map(|table| &table.rows).map(|row| row[0].chars().count()).max().unwrap_or(0);
    let figures = figures.iter().flat_map(|table| &table.rows);
    let figures = figures.map(|row| format!("\n  {:width$}   {}", row[0], row[1..].join("   ")));
    format!("{title}\n  {text}{}", figures.collect::<String>())
}

/// A table below its caption.
fn table(table: &Table) -> String {
    let mut grid = comfy_table::Table::new();
    grid.load_style(ASCII_FULL_CONDENSED);
    grid.set_header(&table.head);
    grid.add_rows(&table.rows);
    format!("{}\n{grid}", table.caption)
}

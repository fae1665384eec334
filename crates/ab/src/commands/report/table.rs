//! The report as tables, for people at a terminal.

use std::fmt::Write as _;

use comfy_table::Table;
use comfy_table::presets::ASCII_FULL_CONDENSED;
use experiment::analysis::{Comparison, Report, SampleRatioReport, VariantReport};

use super::words;

/// A table of the variants with a column for each: rows that stand `above`, then the metrics.
pub(crate) fn variants(report: &Report, above: Vec<(String, Vec<String>)>) -> String {
    let header = report.variants.iter().map(|variant| variant.label.as_str());
    let rows = above.into_iter().chain(words::metrics(&report.variants));
    table([""].into_iter().chain(header), rows.map(|(name, cells)| [vec![name], cells].concat()))
}

/// Where a variant's answers went: a row for each expected label.
pub(crate) fn confusion(variant: &VariantReport) -> String {
    let header = variant.outcomes.iter().map(|outcome| outcome.outcome.as_str());
    let header = ["expected \\ answered"].into_iter().chain(header).chain(["precision", "recall", "F1"]);
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), words::percent);
    let rows = variant.confusion.iter().map(|row| {
        let mut cells = vec![row.expected.clone()];
        cells.extend(row.counts.iter().map(|count| words::count(*count)));
        cells.extend([share(row.quality.precision), share(row.quality.recall)]);
        cells.push(row.quality.f1.map_or_else(|| "–".to_owned(), |f1| format!("{f1:.3}")));
        cells
    });
    table(header, rows)
}

/// Two variants compared, in some lines.
pub(crate) fn comparison(comparison: &Comparison) -> String {
    let Comparison { first, second, pairs, seen_by_both, chance_to_win, expected_loss, .. } = comparison;
    let mut text = format!("{second} against {first}, {}\n", words::evidence(comparison));
    let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "  {line}");
    match &comparison.difference {
        Some(difference) => line(format_args!("Difference      {}", words::difference(difference))),
        None => line(format_args!("Difference      unknown: one of them has no labels")),
    }
    if let Some(p) = comparison.mcnemar_p {
        line(format_args!(
            "Pairs           both right {}, only {first} {}, only {second} {}, neither {}; McNemar exact p {}",
            words::count(pairs.both),
            words::count(pairs.only_first),
            words::count(pairs.only_second),
            words::count(pairs.neither),
            words::probability(p)
        ));
    }
    if seen_by_both.n > 0 {
        line(format_args!(
            "Disagreements   {} of {} that both saw",
            words::count(seen_by_both.differ),
            words::counted(seen_by_both.n, "sentence", "sentences")
        ));
    }
    line(format_args!(
        "Chance to win   {first} {}, {second} {}",
        words::percent(chance_to_win.first),
        words::percent(chance_to_win.second)
    ));
    line(format_args!(
        "Expected loss   {:.1} points by choosing {first}, {:.1} by choosing {second}",
        expected_loss.first * 100.0,
        expected_loss.second * 100.0
    ));
    line(format_args!("{}", words::verdict(&comparison.decision)));
    text
}

/// The check of one phase's assignments.
pub(crate) fn sample_ratio(phase: &SampleRatioReport) -> String {
    let counts: Vec<String> = phase
        .variants
        .iter()
        .map(|it| format!("{} {} (weight {})", it.label, words::count(it.assigned), it.weight))
        .collect();
    format!(
        "Assignments, phase {}: {}; p {}{}",
        phase.phase,
        counts.join(", "),
        words::probability(phase.p_value),
        if phase.mismatch { ": they do not follow the weights" } else { "" }
    )
}

fn table<'a>(header: impl Iterator<Item = &'a str>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_FULL_CONDENSED);
    table.set_header(header);
    table.add_rows(rows);
    table.to_string()
}

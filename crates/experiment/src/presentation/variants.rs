//! What was observed of each variant.

use crate::{
    analysis::{Estimate, Looks, Proportion, Report, SampleRatioReport, VariantReport},
    numbers::{count, counted, duration, p_value, percent, rounded},
};

use super::{Table, capitalised};

/// What stands for a number that cannot be told.
const NONE: &str = "–";

/// A share with what it is of and its interval: `71.2% of 330 (66.1–75.8)`.
pub fn proportion(share: &Proportion) -> String {
    let Proportion { n, value, low, high, .. } = share;
    format!("{} of {} ({:.1}–{:.1})", percent(*value), count(*n), low * 100.0, high * 100.0)
}

/// How often a variant was right, by votes where observations are live.
pub(super) fn accuracy(variant: &VariantReport, looks: Looks) -> String {
    let none = if looks == Looks::Any { "no votes yet" } else { "no labels yet" };
    variant.accuracy.as_ref().map_or_else(|| none.to_owned(), proportion)
}

/// Each variant in numbers, a column each.
pub(super) fn numbers(report: &Report) -> Table {
    let variants = &report.variants;
    let row = |name: &str, cell: &dyn Fn(&VariantReport) -> Option<String>| {
        Table::row(name, variants.iter().map(|it| cell(it).unwrap_or_else(|| NONE.to_owned())))
    };
    let live = report.method.looks == Looks::Any;
    let mut rows = vec![row("Observations", &|it| Some(count(it.n)))];
    if variants.iter().any(|variant| variant.stale > 0) {
        rows.push(row("Stale, not counted", &|it| Some(count(it.stale))));
    }
    if variants.iter().any(|variant| variant.annotated_accuracy.is_some()) {
        rows.push(row("Accuracy, annotated", &|it| {
            let Estimate { value, low, high } = it.annotated_accuracy?;
            Some(format!("{} ({:.1}–{:.1})", percent(value), low * 100.0, high * 100.0))
        }));
    }
    rows.extend([
        row(if live { "Right, by votes" } else { "Accuracy" }, &|it| Some(accuracy(it, report.method.looks))),
        row("Macro-F1", &|it| Some(format!("{:.3}", it.macro_f1?))),
        row("Unsure", &|it| it.unsure_rate.as_ref().map(proportion)),
        row("Latency, median", &|it| {
            let latency = it.latency.as_ref()?;
            Some(format!("{} (n {})", duration(latency.p50_ms), count(latency.n)))
        }),
        row("Latency, 95th percentile", &|it| Some(duration(it.latency.as_ref()?.p95_ms))),
        row("Prompt tokens, mean", &|it| Some(rounded(it.tokens?.prompt_mean))),
        row("Generated tokens, mean", &|it| Some(rounded(it.tokens?.generated_mean))),
    ]);
    if live {
        rows.push(row("Weight", &|it| Some(count(it.weight.into()))));
    }
    rows.push(row("Prompt", &|it| Some(it.fingerprint.to_string())));
    rows.push(row("Model", &|it| Some(it.model.clone())));
    Table { caption: "Each variant in numbers".to_owned(), head: head(variants), rows }
}

/// What each variant answered, a row for each outcome.
pub(super) fn outcomes(variants: &[VariantReport]) -> Table {
    let outcomes = variants.first().map_or(&[][..], |variant| &variant.outcomes);
    let rows = outcomes.iter().enumerate().map(|(index, outcome)| {
        let cell = |variant: &VariantReport| {
            let outcome = variant.outcomes.get(index)?;
            Some(format!("{} ({} of {})", percent(outcome.share?), count(outcome.count), count(variant.n)))
        };
        let cells = variants.iter().map(|variant| cell(variant).unwrap_or_else(|| NONE.to_owned()));
        Table::row(&capitalised(&outcome.outcome), cells)
    });
    Table {
        caption: "Outcomes as shares of each variant’s observations".to_owned(),
        head: head(variants),
        rows: rows.collect(),
    }
}

/// A variant's confusion matrix, a row for each expected label; `None` without labels.
pub(super) fn confusion(variant: &VariantReport, looks: Looks) -> Option<Table> {
    let unit = if looks == Looks::Any { "vote" } else { "labelled sentence" };
    let labelled = counted(variant.accuracy?.n, unit);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let rows = variant.confusion.iter().map(|row| {
        let quality = row.quality;
        let qualities = [quality.precision.map(percent), quality.recall.map(percent), quality.f1.map(f1)];
        let cells = row.counts.iter().map(|it| count(*it)).chain(qualities.map(or_none));
        Table::row(&capitalised(&row.expected), cells)
    });
    let outcomes = variant.outcomes.iter().map(|it| capitalised(&it.outcome));
    let head = ["Expected".to_owned()].into_iter().chain(outcomes);
    Some(Table {
        caption: format!("Confusion matrix of {} ({labelled})", variant.label),
        head: head.chain(["Precision", "Recall", "F1"].map(str::to_owned)).collect(),
        rows: rows.collect(),
    })
}

/// The check of one phase's assignments.
pub(super) fn assignments(phase: &SampleRatioReport) -> String {
    let each = phase
        .variants
        .iter()
        .map(|it| format!("{} to {} (weight {})", count(it.assigned), it.label, count(it.weight.into())));
    let followed = if phase.mismatch { "do not follow the weights" } else { "are in line with the weights" };
    format!(
        "Phase {}: {}, {}. They {followed} ({}).",
        phase.phase,
        counted(phase.n, "assignment"),
        each.collect::<Vec<_>>().join(", "),
        p_value(phase.p_value)
    )
}

fn f1(f1: f64) -> String {
    format!("{f1:.3}")
}

fn head(variants: &[VariantReport]) -> Vec<String> {
    Table::row("", variants.iter().map(|variant| variant.label.clone()))
}

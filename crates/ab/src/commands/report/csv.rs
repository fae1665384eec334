//! The report as CSV: a line for each number, with its interval and the number of observations where it has them.

use std::io;

use experiment::analysis::{Comparison, Proportion, Report, VariantReport};

use crate::results::spreadsheet::cell;

/// A number of a variant, or of two: `first / second`.
struct Metric<'a> {
    of: &'a str,
    name: &'a str,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    n: Option<u64>,
}

/// Writes the report.
///
/// # Errors
///
/// `out` cannot be written.
pub(super) fn write(out: &mut dyn io::Write, report: &Report) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["of", "metric", "value", "low", "high", "n"])?;
    let mut line = |metric: Metric<'_>| {
        let text = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        let (low, high) = metric.interval.unzip();
        let n = metric.n.map(|n| n.to_string()).unwrap_or_default();
        csv.write_record([&*cell(metric.of), metric.name, &text(metric.value), &text(low), &text(high), &n])
    };
    for variant in &report.variants {
        of_variant(variant, &mut line)?;
    }
    for comparison in &report.comparisons {
        of_comparison(comparison, &mut line)?;
    }
    for phase in &report.sample_ratio {
        let of = format!("phase {}", phase.phase);
        line(Metric {
            of: &of,
            name: "sample_ratio_p",
            value: Some(phase.p_value),
            interval: None,
            n: Some(phase.n),
        })?;
    }
    csv.flush()?;
    Ok(())
}

fn of_variant(
    variant: &VariantReport,
    line: &mut impl FnMut(Metric<'_>) -> csv::Result<()>,
) -> csv::Result<()> {
    let of = &*variant.label;
    let mut share = |name: &str, share: Option<Proportion>| {
        let interval = share.map(|share| (share.low, share.high));
        line(Metric {
            of,
            name,
            value: share.map(|share| share.value),
            interval,
            n: Some(share.map_or(0, |share| share.n)),
        })
    };
    share("accuracy", variant.accuracy)?;
    share("unsure_rate", variant.unsure_rate)?;
    let mut plain =
        |name: &str, value: Option<f64>, n: u64| line(Metric { of, name, value, interval: None, n: Some(n) });
    plain("macro_f1", variant.macro_f1, variant.accuracy.map_or(0, |accuracy| accuracy.n))?;
    for outcome in &variant.outcomes {
        plain(&format!("share_{}", outcome.outcome), outcome.share, variant.n)?;
    }
    let latency = variant.latency.as_ref();
    let measured = latency.map_or(0, |latency| latency.n);
    plain("latency_mean_ms", latency.map(|latency| latency.mean_ms), measured)?;
    plain("latency_p50_ms", latency.map(|latency| latency.p50_ms), measured)?;
    plain("latency_p95_ms", latency.map(|latency| latency.p95_ms), measured)?;
    let tokens = variant.tokens;
    let counted = tokens.map_or(0, |tokens| tokens.n);
    plain("prompt_tokens_mean", tokens.map(|tokens| tokens.prompt_mean), counted)?;
    plain("generated_tokens_mean", tokens.map(|tokens| tokens.generated_mean), counted)
}

fn of_comparison(
    comparison: &Comparison,
    line: &mut impl FnMut(Metric<'_>) -> csv::Result<()>,
) -> csv::Result<()> {
    let of = &*format!("{} / {}", comparison.second, comparison.first);
    let mut plain = |name, value, interval, n| line(Metric { of, name, value, interval, n: Some(n) });
    if let Some(annotated) = comparison.annotated {
        let n = annotated.counts.annotated;
        plain("evidence", Some(annotated.evidence), None, n)?;
        let interval = annotated.difference.map(|it| (it.deciding.low, it.deciding.high));
        plain("difference_annotated", annotated.difference.map(|it| it.value), interval, n)?;
    }
    let difference = comparison.difference.as_ref();
    let value = difference.map(|difference| difference.value);
    let deciding = difference.map(|difference| (difference.deciding.low, difference.deciding.high));
    let fixed = difference.map(|difference| (difference.fixed.low, difference.fixed.high));
    plain("difference_always_valid", value, deciding, comparison.n)?;
    plain("difference_fixed", value, fixed, comparison.n)?;
    plain("mcnemar_p", comparison.mcnemar_p, None, comparison.pairs.n())?;
    plain("chance_to_win", comparison.chance_to_win.map(|each| each.second), None, comparison.n)?;
    plain("expected_loss", comparison.expected_loss.map(|each| each.second), None, comparison.n)
}

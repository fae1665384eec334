//! Numbers and verdicts in words, the same in tables and pages.

use experiment::analysis::{
    Comparison, Design, Difference, Latency, Proportion, Status, Tokens, VariantReport, Verdict,
};
use experiment::statistics::Interval;

/// A count with its thousands apart: `1,616`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with what is counted, `many` being its plural: `1 sentence`, `330 sentences`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A share of 1: `71.2%`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A difference of shares, signed, in points: `+3.9`.
pub(crate) fn points(difference: f64) -> String {
    let rounded = (difference * 1000.0).round() / 10.0;
    match rounded {
        _ if rounded > 0.0 => format!("+{rounded:.1}"),
        _ if rounded < 0.0 => format!("−{:.1}", rounded.abs()),
        _ => "0.0".to_owned(),
    }
}

/// An interval of a difference: `−0.4 to +8.2`.
pub(crate) fn range(interval: Interval) -> String {
    format!("{} to {}", points(interval.low), points(interval.high))
}

/// A probability, never shown as 0: `0.047`.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// A share with its interval and of how many: `71.2% of 330 (66.1–75.8)`.
pub(crate) fn proportion(share: &Proportion) -> String {
    let Proportion { n, value, low, high, .. } = share;
    format!("{} of {} ({:.1}–{:.1})", percent(*value), count(*n), low * 100.0, high * 100.0)
}

/// Median and 95th percentile of how many: `p50 210 ms, p95 480 ms (n 330)`.
pub(crate) fn latency(latency: &Latency) -> String {
    format!("p50 {:.0} ms, p95 {:.0} ms (n {})", latency.p50_ms, latency.p95_ms, count(latency.n))
}

/// Tokens of an inference, on average: `96.2 read, 1.0 written`.
pub(crate) fn tokens(tokens: &Tokens) -> String {
    format!("{:.1} read, {:.1} written", tokens.prompt_mean, tokens.generated_mean)
}

/// What is compared: `330 pairs`.
pub(crate) fn evidence(comparison: &Comparison) -> String {
    match comparison.design {
        Design::Paired => counted(comparison.n, "pair", "pairs"),
        Design::Independent => counted(comparison.n, "labelled observation", "labelled observations"),
    }
}

/// The difference with both intervals.
pub(crate) fn difference(difference: &Difference) -> String {
    format!(
        "{} points (always-valid interval {}; fixed 95% interval {})",
        points(difference.value),
        range(difference.always_valid),
        range(difference.fixed)
    )
}

/// What may be said about which one is better.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    match (verdict.status, &verdict.winner, verdict.needed_more, verdict.assumed_difference) {
        (Status::Decided, Some(winner), ..) => {
            format!("{winner} is better: the always-valid interval of the difference excludes zero.")
        }
        (_, _, Some(needed), Some(assumed)) => format!(
            "Not decided yet: about {} needed, if the true difference is {:.1} points.",
            counted(needed, "more labelled sentence is", "more labelled sentences are"),
            assumed * 100.0
        ),
        _ => "Not decided: a difference as small as this would take more than a million more labelled sentences."
            .to_owned(),
    }
}

/// The metrics of every variant, one row for each, with a cell for each variant.
pub(crate) fn metrics(variants: &[VariantReport]) -> Vec<(String, Vec<String>)> {
    let row = |name: &str, cell: &dyn Fn(&VariantReport) -> String| {
        (name.to_owned(), variants.iter().map(cell).collect())
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let mut rows = vec![
        row("Accuracy", &|it| it.accuracy.as_ref().map_or_else(|| "no labels yet".to_owned(), proportion)),
        row("Macro-F1", &|it| or_none(it.macro_f1.map(|f1| format!("{f1:.3}")))),
        row("Unsure", &|it| or_none(it.unsure_rate.as_ref().map(proportion))),
    ];
    let outcomes = variants.first().map_or(&[][..], |variant| &variant.outcomes);
    for (index, outcome) in outcomes.iter().enumerate() {
        rows.push(row(&format!("Answered {}", outcome.outcome), &|it| {
            or_none(
                it.outcomes.get(index).and_then(|outcome| {
                    Some(format!("{} ({})", percent(outcome.share?), count(outcome.count)))
                }),
            )
        }));
    }
    rows.push(row("Latency", &|it| it.latency.as_ref().map_or_else(|| "not measured".to_owned(), latency)));
    rows.push(row("Tokens", &|it| or_none(it.tokens.as_ref().map(tokens))));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let counts = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")];
        for (n, text) in counts {
            assert_eq!(count(n), text);
        }
        let differences =
            [(0.039, "+3.9"), (-0.004_4, "−0.4"), (-0.000_4, "0.0"), (0.0, "0.0"), (-1.0, "−100.0")];
        for (difference, text) in differences {
            assert_eq!(points(difference), text);
        }
        assert_eq!(
            (percent(0.712_1), probability(0.046_61), probability(1e-9)),
            ("71.2%".to_owned(), "0.0466".to_owned(), "< 0.0001".to_owned())
        );
    }
}

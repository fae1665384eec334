//! What a build demands of prompts.

use experiment::analysis::{Report, VariantReport};
use serde::Serialize;

use crate::commands::report::words;

/// The exit status where a demand is not met.
pub(crate) const NOT_MET: u8 = 3;

/// What is demanded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates {
    /// The accuracy that every variant but the baseline must have, as it was observed, in `0..=1`.
    pub(crate) fail_under: Option<f64>,
    /// The store or file with the prompt than which no other may be worse. One is worse when the rule that names winners names the baseline:
    /// its always-valid interval of the paired difference lies above zero. A build asks again with every change; an
    /// interval for one look only would call a good prompt worse sooner or later.
    pub(crate) baseline: Option<String>,
}

/// A demand, and whether it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Gate {
    pub(super) met: bool,
    /// The demand with the numbers.
    pub(super) text: String,
}

impl Gates {
    /// Holds the demands against a report, `baseline` being the baseline's place in it.
    pub(super) fn judge(&self, report: &Report, baseline: Option<usize>) -> Vec<Gate> {
        let variants = report.variants.iter().enumerate();
        let judged = variants.filter(|(index, _)| Some(*index) != baseline).map(|(_, variant)| variant);
        let judged: Vec<&VariantReport> = judged.collect();
        let mut gates = Vec::new();
        if let Some(least) = self.fail_under {
            gates.extend(judged.iter().map(|variant| at_least(variant, least)));
        }
        if let Some(baseline) = baseline.and_then(|baseline| report.variants.get(baseline)) {
            gates.extend(judged.iter().map(|variant| not_worse(variant, &baseline.label, report)));
        }
        gates
    }
}

fn at_least(variant: &VariantReport, least: f64) -> Gate {
    let met = variant.accuracy.is_some_and(|accuracy| accuracy.value >= least);
    let accuracy = variant.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), words::proportion);
    let relation = if met { "not under" } else { "under" };
    Gate {
        met,
        text: format!("{}: accuracy {accuracy}, {relation} {}", variant.label, words::percent(least)),
    }
}

fn not_worse(variant: &VariantReport, baseline: &str, report: &Report) -> Gate {
    let of_both = |first: &str, second: &str| {
        report.comparisons.iter().find(|comparison| comparison.first == first && comparison.second == second)
    };
    let name = &variant.label;
    let comparison = of_both(baseline, name).or_else(|| of_both(name, baseline));
    let difference = comparison.and_then(|comparison| {
        let interval = comparison.difference?.always_valid;
        Some(if comparison.first == *baseline { interval } else { interval.negated() })
    });
    let winner = comparison.and_then(|comparison| comparison.decision.winner.as_deref());
    let met = difference.is_some() && winner != Some(baseline);
    let text = match difference {
        Some(interval) => {
            let relation = if met { "not known to be worse than" } else { "worse than" };
            format!("{name}: {relation} {baseline} (always-valid interval {} points)", words::range(interval))
        }
        None => format!("{name}: not compared with {baseline}"),
    };
    Gate { met, text }
}

//! What a build requires of prompts.

use experiment::analysis::{Comparison, Report, Status, VariantReport};
use experiment::numbers::{percent, points, range, short_percent, size};
use experiment::presentation::proportion;
use serde::Serialize;

/// The exit status where a requirement is not met.
pub(crate) const NOT_MET: u8 = 3;

/// What is required.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates {
    /// The accuracy that every variant but the baseline must have, as it was observed, in `0..=1`.
    pub(crate) fail_under: Option<f64>,
    /// The store or file with the baseline prompt: no other may be worse.
    pub(crate) baseline: Option<String>,
    /// How much worse than the baseline a prompt may be, in `0..=1`, if that has to be shown.
    pub(crate) margin: Option<f64>,
}

/// A requirement, and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Gate {
    pub(super) met: bool,
    /// The requirement with the numbers.
    pub(super) text: String,
}

impl Gates {
    /// Holds the requirements against a report, `baseline` being the baseline's place in it.
    pub(super) fn judge(&self, report: &Report, baseline: Option<usize>) -> Vec<Gate> {
        let variants = report.variants.iter().enumerate();
        let judged = variants.filter(|(index, _)| Some(*index) != baseline).map(|(_, variant)| variant);
        let judged: Vec<&VariantReport> = judged.collect();
        let mut gates = Vec::new();
        if let Some(least) = self.fail_under {
            gates.extend(judged.iter().map(|variant| at_least(variant, least)));
        }
        if let Some(baseline) = baseline.and_then(|baseline| report.variants.get(baseline)) {
            gates.extend(judged.iter().map(|variant| self.not_worse(variant, &baseline.label, report)));
        }
        gates
    }

    /// A data set is evaluated once, so the interval that decides is the fixed one. Without a margin a prompt fails that is
    /// shown to be worse; with one, a prompt that is not shown to be within the margin, as few sentences show little.
    fn not_worse(&self, variant: &VariantReport, baseline: &str, report: &Report) -> Gate {
        let name = &variant.label;
        let is_of_both = |it: &&Comparison| {
            (it.first == *baseline && it.second == *name) || (it.first == *name && it.second == *baseline)
        };
        let comparison = report.comparisons.iter().find(is_of_both);
        let Some((comparison, difference)) = comparison.and_then(|it| Some((it, it.difference?))) else {
            return Gate { met: false, text: format!("{name}: not compared with {baseline}") };
        };
        let (value, interval) = if comparison.first == *baseline {
            (difference.value, difference.deciding)
        } else {
            (-difference.value, difference.deciding.negated())
        };
        let is_worse = comparison.decision.winner.as_deref() == Some(baseline);
        let enough = comparison.n >= report.method.minimum_labelled;
        let (met, relation) = match self.margin {
            _ if comparison.decision.status == Status::Identical => {
                (true, format!("the same prompt as {baseline}"))
            }
            Some(margin) if enough && interval.low > -margin => {
                (true, format!("less than {} worse than {baseline}", size(margin)))
            }
            Some(margin) if !is_worse => {
                (false, format!("not shown to be less than {} worse than {baseline}", size(margin)))
            }
            _ if is_worse => (false, format!("worse than {baseline}")),
            _ => (true, format!("not known to be worse than {baseline}")),
        };
        let text = format!(
            "{name}: {relation} (difference {} points, {} interval {})",
            points(value),
            short_percent(1.0 - report.method.alpha_each),
            range(interval)
        );
        Gate { met, text }
    }
}

fn at_least(variant: &VariantReport, least: f64) -> Gate {
    let met = variant.accuracy.is_some_and(|accuracy| accuracy.value >= least);
    let accuracy = variant.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), proportion);
    let relation = if met { "at least" } else { "under" };
    Gate { met, text: format!("{}: accuracy {accuracy}, {relation} {}", variant.label, percent(least)) }
}

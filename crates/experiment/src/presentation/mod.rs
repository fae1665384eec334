//! A report in sentences and tables, made once: the page and the command line only lay them out, and so say the same.
//!
//! Two rules of the report hold here as well: no winner is named before there is one, and a share comes with the number of
//! observations that it is of.
//!
//! - [`conclusion`](Conclusion): which variant is better, or what is still needed, and what to do next
//! - [`comparison`](ComparisonText): two variants compared
//! - [`variants`](self): what was observed of each variant
//! - [`table`](Table): names and cells

mod comparison;
mod conclusion;
mod table;
mod variants;

use serde::Serialize;

use crate::{
    analysis::{Looks, Method, Report},
    numbers::{count, rounded, short_percent, size},
};

pub use comparison::ComparisonText;
pub use conclusion::{Conclusion, NextStep, Step};
pub use table::Table;
pub use variants::proportion;

/// A report in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Presentation {
    /// What may be said first.
    pub conclusion: Conclusion,
    /// Each variant's accuracy, in the order of the report.
    pub accuracies: Vec<String>,
    /// Each variant in numbers.
    pub variants: Table,
    /// What each variant answered.
    pub outcomes: Table,
    /// The confusion matrices, for the variants in the order of the report; `None` for one without labels.
    pub confusions: Vec<Option<Table>>,
    /// The comparisons, in the order of the report.
    pub comparisons: Vec<ComparisonText>,
    /// The check of the assignments, a sentence for each phase.
    pub assignments: Vec<String>,
    /// How the numbers came about.
    pub method: Vec<String>,
}

impl Presentation {
    /// Puts a report into words.
    pub fn of(report: &Report) -> Self {
        Self {
            conclusion: conclusion::of(report),
            accuracies: report
                .variants
                .iter()
                .map(|variant| variants::accuracy(variant, report.method.looks))
                .collect(),
            variants: variants::numbers(report),
            outcomes: variants::outcomes(&report.variants),
            confusions: report
                .variants
                .iter()
                .map(|it| variants::confusion(it, report.method.looks))
                .collect(),
            comparisons: report.comparisons.iter().map(|it| comparison::of(it, report)).collect(),
            assignments: report.sample_ratio.iter().map(variants::assignments).collect(),
            method: method(&report.method),
        }
    }
}

fn method(method: &Method) -> Vec<String> {
    let describe = "McNemar’s exact test, the chance to win and the expected loss describe the observations and decide \
                    nothing.";
    let &Method { looks, alpha, alpha_each, planned, minimum_labelled, worth_finding } = method;
    let promise = format!(
        "Set in advance: the probability of ever naming a winner among equals is at most {}",
        short_percent(alpha)
    );
    match looks {
        Looks::Any => vec![
            format!(
                "Annotations of sentences to which the prompts gave different outcomes decide, \
                 by an exact sign test that holds however often you look: a winner is named once the evidence, a mixture of likelihood \
                 ratios (Ville’s inequality), reaches {}. The accuracy by annotations is a stratified estimate with its 95% \
                 interval.",
                rounded(1.0 / alpha_each)
            ),
            format!(
                "Visitors’ votes decide nothing. Their always-valid interval (an asymptotic confidence sequence, arXiv \
                 2103.06476, tightest at {} votes), Wilson’s and Newcombe’s intervals, both 95%, {describe}",
                count(planned)
            ),
            format!("{promise}."),
        ],
        Looks::Once => vec![
            format!(
                "A data set is evaluated once, so a winner is named where Newcombe’s paired {} interval of the difference \
                 excludes zero. Intervals of one accuracy are Wilson’s, 95%. These, {describe}",
                short_percent(1.0 - alpha_each)
            ),
            format!(
                "{promise}; a decision takes at least {} labelled observations of each variant; a difference of {} is worth \
                 finding.",
                count(minimum_labelled),
                size(worth_finding),
            ),
        ],
    }
}

/// What the interval is called in which a difference lies.
fn deciding(method: &Method) -> String {
    match method.looks {
        Looks::Any => "interval at every look".to_owned(),
        Looks::Once => format!("{} interval", short_percent(1.0 - method.alpha_each)),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! What is counted: the observations of variants, and the names that outcomes have.

use crate::{Answer, Fingerprint, Record};

/// A variant with the prompt and the model that it has now. Variants of one analysis have labels of their own.
#[derive(Clone, Debug)]
pub struct CurrentVariant {
    /// The label of its store.
    pub label: String,
    /// Its weight in the assignment.
    pub weight: u32,
    /// Its current prompt: observations of another one are stale.
    pub prompt: Fingerprint,
    /// Its current model: observations of another one are stale.
    pub model: String,
}

impl CurrentVariant {
    /// A variant by its label and weight, with its current prompt and model.
    pub fn new(label: impl Into<String>, weight: u32, prompt: Fingerprint, model: impl Into<String>) -> Self {
        Self { label: label.into(), weight, prompt, model: model.into() }
    }

    /// Whether both ask the same model with the same prompt, so that they can differ by chance alone.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.prompt == other.prompt && self.model == other.model
    }
}

/// The outcome of one inference, as the analysis sees it. A cache hit is not an observation.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The prompt it was made with.
    pub prompt: Fingerprint,
    /// The model it was made with.
    pub model: &'a str,
    /// What was read out of the completion.
    pub outcome: &'a str,
    /// What people said would have been right, each of them once. Anything but a label counts as nothing said.
    pub expected: Vec<&'a str>,
    /// How long the inference took, in milliseconds; `None` where it was not measured, as for an answer that an
    /// evaluation has kept from an earlier run.
    pub elapsed_ms: Option<u64>,
    /// Tokens in the rendered prompt; 0 where the model did not say.
    pub prompt_tokens: u32,
    /// Tokens generated; 0 where the model did not say.
    pub generated_tokens: u32,
}

impl<'a> Observation<'a> {
    /// The observation that a record holds, `name` saying what an answer is called among the [`Outcomes`].
    pub fn of_record<A: Answer>(record: &'a Record<A>, name: impl Fn(&'a A) -> &'a str) -> Self {
        Self {
            prompt: record.prompt,
            model: &record.model,
            outcome: name(&record.answer),
            expected: record.said().map(&name).collect(),
            elapsed_ms: Some(record.elapsed_ms),
            prompt_tokens: record.prompt_tokens,
            generated_tokens: record.generated_tokens,
        }
    }
}

/// The labels that a sentence may have, and the name of an answer that is none of them.
#[derive(Clone, Debug)]
pub struct Outcomes {
    pub(super) labels: Vec<String>,
    pub(super) unsure: String,
}

impl Outcomes {
    /// The labels in the order in which reports have them (at most 65,535), and the outcome that is not a label. Every
    /// outcome that is not a label counts as `unsure`.
    pub fn new<'a>(labels: impl IntoIterator<Item = &'a str>, unsure: &str) -> Self {
        Self { labels: labels.into_iter().map(str::to_owned).collect(), unsure: unsure.to_owned() }
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// The names in the order of a report: the labels, then `unsure`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().chain([&self.unsure]).map(String::as_str)
    }

    pub(super) fn judge(&self, observation: &Observation<'_>) -> Judged {
        Judged {
            outcome: self.label(observation.outcome),
            expected: observation.expected.iter().filter_map(|expected| self.label(expected)).collect(),
        }
    }

    pub(super) fn label(&self, name: &str) -> Option<u16> {
        self.labels.iter().position(|label| label == name)?.try_into().ok()
    }
}

/// An observation's outcome and expected labels by their position among the labels; `None` for an outcome that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) outcome: Option<u16>,
    pub(super) expected: Vec<u16>,
}

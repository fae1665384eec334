//! What endangers a conclusion, as data with advice.

use serde::Serialize;

use crate::numbers::{count, counted};

/// Something a reader has to know before trusting a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// Assignment did not honour the weights (p < 0.001).
    SampleRatioMismatch {
        /// The phase, counted from 1.
        phase: usize,
        /// Its assignments.
        assignments: u64,
    },
    /// The weights changed while the experiment ran.
    WeightsChanged {
        /// The number of phases.
        phases: usize,
    },
    /// People who signed in say different things of a sentence.
    DisputedAnnotations {
        /// How many sentences.
        sentences: u64,
    },
    /// A data set too small for a decision.
    SmallDataSet {
        /// The sentences that some variant answered, at most.
        sentences: u64,
        /// The sentences below which nothing is decided.
        minimum: u64,
    },
    /// Observations that are of another prompt or model than the current ones.
    StaleObservations {
        /// The variant's label.
        variant: String,
        /// How many.
        stale: u64,
    },
    /// The model often gave no outcome at all.
    ManyUnsure {
        /// The variant's label.
        variant: String,
        /// Observations without an outcome.
        unsure: u64,
        /// Observations.
        n: u64,
    },
    /// Two variants have the same prompt and model: there is nothing to find.
    SamePrompt {
        /// One variant's label.
        first: String,
        /// The other's.
        second: String,
    },
    /// Two variants use different models: a difference may come from either.
    DifferentModels {
        /// One variant's label.
        first: String,
        /// The other's.
        second: String,
    },
    /// People said different things of sentences that both variants answered.
    ConflictingLabels {
        /// One variant's label.
        first: String,
        /// The other's.
        second: String,
        /// How many sentences.
        sentences: u64,
    },
}

/// A warning with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The warning as data.
    #[serde(flatten)]
    pub warning: Warning,
    /// What is the matter: one sentence.
    pub message: String,
    /// What to do: one sentence.
    pub advice: &'static str,
}

impl From<Warning> for Notice {
    fn from(warning: Warning) -> Self {
        Self { message: warning.message(), advice: warning.advice(), warning }
    }
}

impl Warning {
    fn message(&self) -> String {
        match self {
            Self::SampleRatioMismatch { phase, assignments } => format!(
                "The {} of phase {phase} do not follow the weights (p < 0.001).",
                counted(*assignments, "assignment")
            ),
            Self::WeightsChanged { phases } => {
                format!("The weights changed while the experiment ran: it has {phases} phases.")
            }
            Self::DisputedAnnotations { sentences } => format!(
                "Annotators disagree on {}, which {} left out.",
                counted(*sentences, "sentence"),
                if *sentences == 1 { "is" } else { "are" }
            ),
            Self::SmallDataSet { sentences, minimum } => format!(
                "{} were evaluated; a decision takes at least {minimum}.",
                counted(*sentences, "sentence")
            ),
            Self::StaleObservations { variant, stale: 1 } => {
                format!(
                    "1 observation of {variant} was made with another prompt or model and does not count."
                )
            }
            Self::StaleObservations { variant, stale } => format!(
                "{} observations of {variant} were made with another prompt or model and do not count.",
                count(*stale)
            ),
            Self::ManyUnsure { variant, unsure, n } => {
                format!("{variant} gave no outcome in {} of {}.", count(*unsure), counted(*n, "observation"))
            }
            Self::SamePrompt { first, second } => {
                format!("{first} and {second} have the same prompt and model.")
            }
            Self::DifferentModels { first, second } => {
                format!("{first} and {second} use different models.")
            }
            Self::ConflictingLabels { first, second, sentences } => format!(
                "Visitors disagree about {} that {first} and {second} both answered; the comparison leaves them out.",
                counted(*sentences, "sentence"),
            ),
        }
    }

    const fn advice(&self) -> &'static str {
        match self {
            Self::SampleRatioMismatch { .. } => {
                "Do not trust any comparison until you have found the cause: failed requests, a gap in the log, or weights \
                 that changed in between."
            }
            Self::WeightsChanged { .. } => "Compare within one phase: the next may have had other sentences.",
            Self::DisputedAnnotations { .. } => {
                "They count again once an annotator changes their answer, on the Annotate page or with \
                 `cargo ab annotate --disputed`."
            }
            Self::SmallDataSet { .. } => "Add labelled sentences to the data set.",
            Self::StaleObservations { .. } => {
                "That is expected after a prompt changes; asking about their sentences again replaces them."
            }
            Self::ManyUnsure { .. } => {
                "Read some completions: the prompt may not say clearly enough which words to answer with."
            }
            Self::SamePrompt { .. } => "Set another prompt in one of the stores, or link another store.",
            Self::DifferentModels { .. } => "Compare prompts on one model, or models with one prompt.",
            Self::ConflictingLabels { .. } => "Annotate sentences: votes decide nothing.",
        }
    }
}

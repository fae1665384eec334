//! What endangers a conclusion, as data with advice.

use serde::Serialize;

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
    /// Too few labels for a decision.
    FewLabels {
        /// The variant's label.
        variant: String,
        /// Its labelled observations.
        labelled: u64,
        /// The labelled observations below which nothing is decided.
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
    /// Sentences were labelled differently for the one variant and the other.
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
            Self::SampleRatioMismatch { phase, assignments } => {
                format!(
                    "The {assignments} assignments of phase {phase} do not follow the weights (p < 0.001)."
                )
            }
            Self::WeightsChanged { phases } => {
                format!("The weights changed while the experiment ran: there are {phases} phases.")
            }
            Self::FewLabels { variant, labelled, minimum } => {
                let observations = if *labelled == 1 { "observation" } else { "observations" };
                format!(
                    "{variant} has {labelled} labelled {observations}; nothing is decided before there are {minimum}."
                )
            }
            Self::StaleObservations { variant, stale } => {
                format!("{stale} observations of {variant} are of another prompt or model and do not count.")
            }
            Self::ManyUnsure { variant, unsure, n } => {
                format!("{variant} gave no outcome in {unsure} of {n} observations.")
            }
            Self::SamePrompt { first, second } => {
                format!("{first} and {second} have the same prompt and model.")
            }
            Self::DifferentModels { first, second } => {
                format!("{first} and {second} are answered by different models.")
            }
            Self::ConflictingLabels { first, second, sentences } => format!(
                "People labelled {sentences} sentences differently for {first} and for {second}; they are not paired."
            ),
        }
    }

    const fn advice(&self) -> &'static str {
        match self {
            Self::SampleRatioMismatch { .. } => {
                "Trust no comparison until the cause is found: look for failed requests, a lost part of the log, or \
                 weights that changed meanwhile."
            }
            Self::WeightsChanged { .. } => {
                "Compare within one phase, as what people ask may have changed between phases as well."
            }
            Self::FewLabels { .. } => {
                "Say of more answers whether they are right, or evaluate on labelled sentences."
            }
            Self::StaleObservations { .. } => {
                "Nothing is wrong if the prompt was changed on purpose; they are replaced as their sentences come again."
            }
            Self::ManyUnsure { .. } => {
                "Read some completions: the prompt may not say clearly enough which words to answer with."
            }
            Self::SamePrompt { .. } => "Set another prompt in one of the stores, or link another store.",
            Self::DifferentModels { .. } => "Compare prompts on one model, or models on one prompt.",
            Self::ConflictingLabels { .. } => "Look at those sentences again and correct the wrong label.",
        }
    }
}

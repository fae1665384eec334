//! The domain: what a sentence may be, what can come out, and how a model's completion is read.
//!
//! - [`outcome`]: positive, neutral, negative or unsure.
//! - [`completion`]: from the text a model generated to an outcome.
//! - [`reasoning`]: what models think before they answer.
//! - [`sentence`]: the rules a sentence has to meet before a model sees it.
//!
//! Pure: no clock, no store, no model. The component and the tools share it, so they cannot disagree.

pub mod completion;
pub mod outcome;
pub mod reasoning;
mod search;
pub mod sentence;
mod statement;

pub use completion::read_completion;
pub use outcome::{Outcome, UnknownOutcome, expected};
pub use reasoning::without_reasoning;
pub use sentence::{InvalidSentence, Sentence};

/// The prompt of a store that holds none, as in the article that this project started from. It has the placeholder
/// `{SENTENCE}` on its last line, and begins and ends as its file does.
pub const DEFAULT_PROMPT: &str = include_str!("../../../prompts/default.txt");

/// The most tokens an answer needs: the longest outcome, with a prefix such as `Sentiment:` and some punctuation.
pub const MAX_TOKENS: u32 = 6;

//! A small deterministic model that needs no download: for a first run, for tests and for demonstrations.
//!
//! It is **not a language model**. It reads the few-shot examples and the sentence out of a prompt, scores texts with
//! VADER (Hutto and Gilbert 2014) and answers with one word: `positive`, `neutral` or `negative`. The examples set the
//! thresholds, so two prompts with different examples answer differently, for a reason that [`explain`] states.
//! VADER knows English words and emoji; a sentence in another language mostly scores 0 and is `neutral`.
//!
//! ```
//! let prompt = "[INST]\nUser: I am so sad today\nnegative\n[/INST]\nUser: What a lovely surprise!";
//! assert_eq!(offline_model::complete(prompt, 6).text, "positive");
//! ```
//!
//! This crate stands in for a server made by somebody else. That is why it shares no code with the app: the app sees
//! of it what it would see of a stranger's.

mod completion;
mod prompt;
mod rule;
mod server;

pub use completion::{Completion, complete};
pub use rule::{Explanation, explain};
pub use server::{BODY_LIMIT, identifies_itself, router, serve};

/// The name under which the model appears in every answer, whatever name a request asks for.
pub const NAME: &str = "offline-model";

/// What the model is, for people: a sentence without a full stop.
pub const DESCRIPTION: &str =
    "offline model: a deterministic stand-in that scores words with VADER, not a language model";

//! Experiments over labelled key-value stores: the guest SDK.
//!
//! Several prompts compete; each lives in a key-value store of its own, which the app knows by a label. A request is
//! assigned a variant, its prompt is rendered and given to a model, and what comes out is kept in the variant's store
//! beside the prompt that produced it.
//!
//! - [`assignment`]: which variant answers a request.
//! - [`visitor`]: telling visitors apart, so that each keeps their variant.
//! - [`prompt`]: a variant's prompt, its fingerprint, and a sentence put into it.
//! - [`key`]: under which key a sentence's record is kept.
//! - [`record`]: one observation, as a store keeps it.
//! - [`counter`]: numbers in stores, which many add to at the same time, and [`conversion`]: copying them between kinds of stores.
//! - [`tally`]: what was observed of each prompt, counted when a record is written.
//! - [`vote`]: what visitors say about an answer.
//! - [`shadow`]: which sentences all variants answer.
//! - [`journal`]: what belongs to none of the variants: sentences to annotate, and annotations.
//! - [`key_values`]: what counting and the journal need of a store.
//! - [`statistics`]: the formulas, each with its source.
//! - [`analysis`]: from observations to the numbers that say which prompt is better.
//! - [`numbers`]: numbers as people read them.
//! - [`presentation`]: what the numbers say, in sentences and tables.
//! - `spin`, for WebAssembly: variants' stores on Spin. It shows how an app runs an experiment of its own.
//!
//! The core is pure: the clock and the random source are handed in. Components and tools share it, so they cannot
//! disagree on a key, a record or a choice.

pub mod analysis;
pub mod assignment;
pub mod conversion;
pub mod counter;
mod hex;
pub mod journal;
pub mod key;
pub mod key_values;
pub mod numbers;
pub mod presentation;
pub mod prompt;
pub mod record;
pub mod shadow;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod statistics;
pub mod tally;
pub mod visitor;
pub mod vote;
pub mod writes;

pub use assignment::{Assignment, Experiment, InvalidAssignment, InvalidExperiment, Variant};
pub use key::Key;
pub use key_values::KeyValues;
pub use prompt::{Fallback, Fingerprint, InvalidFingerprint, Origin, PLACEHOLDER, PROMPT_KEY, Prompt};
pub use record::{Answer, Record, timestamp};
pub use visitor::VisitorId;
pub use vote::{Voter, Votes};
pub use writes::Writes;

//! The journal: what belongs to the experiment and to none of its variants, in a store of its own.
//!
//! Where two prompts give a sentence the same outcome, nothing tells them apart. So sentences that all variants have answered are
//! *drawn*: counted as agreeing or differing, and kept for people to annotate, most of them such that differ. What a person who
//! signed in says would be right is an *annotation*. It decides between the prompts for which its sentence was drawn and between no
//! others: anything else would be no fair sample of what differs.
//!
//! | key | value |
//! |---|---|
//! | `drawn:ROUND:differ`, `drawn:ROUND:agree` | counters: sentences drawn so far |
//! | `queue:ROUND:differ:SLOT`, `queue:ROUND:agree:SLOT` | a [`Draw`], as JSON; at most 512 in all |
//! | `annotated:ROUND` | a counter: the numbers given to annotations so far |
//! | `number:ROUND:HASH` | the number of the annotation of the sentence with this SHA-256 |
//! | `annotation:ROUND:NUMBER` | an [`Annotation`], as JSON |
//! | `limit:HOUR:all`, `limit:HOUR:NUMBER` | counters: new sentences in all, and by address; see [`limits`] |
//! | `limit:hours` | the hours of which there are such counters, as JSON |
//! | `asking:0`, `asking:1`, `asking:2` | counters: questions that the model is being asked; see [`questions`] |
//! | `rounds` | the [`Round`]s of which there are annotations, as JSON |
//!
//! `ROUND` is `-` for sentences that were not drawn. As annotations are numbered, all of them are found from their counter: nobody lists
//! the store's keys.
//!
//! - [`round`](Round): the prompts that are compared, and the keys of what belongs to them
//! - [`draw`](Draw): a sentence with what each prompt made of it, and which draws are kept
//! - [`queue`](Queue): the sentences that wait for somebody to annotate them
//! - [`annotation`](Annotation): what people say about a sentence
//! - [`evidence`](Evidence): what the annotations say about the prompts
//! - [`limits`]: how many new sentences there may be, and `admission`: counting them
//! - [`questions`]: how many questions the model is being asked
//! - [`keeping`](Journal): what is written and read, and in which order

mod admission;
mod annotation;
mod draw;
mod evidence;
mod keeping;
pub mod limits;
pub mod questions;
mod queue;
mod round;

pub use annotation::{Annotation, Given, Said};
pub use draw::{Draw, Stratum};
pub use evidence::{Evidence, Standing};
pub use keeping::{Journal, Kept};
pub use queue::Queue;
pub use round::Round;

/// Whether a key is that of a counter.
pub(crate) fn is_counter(key: &str) -> bool {
    round::is_counter(key) || limits::is_counter(key) || questions::is_counter(key)
}

/// The label of the journal's store.
pub const LABEL: &str = "journal";

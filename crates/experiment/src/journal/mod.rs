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
//! | `annotation:ROUND:HASH` | an [`Annotation`], as JSON; `ROUND` is `-` where the sentence was not drawn |
//! | `limit:HOUR:all`, `limit:HOUR:NUMBER` | counters: new sentences in all, and by address; see [`limits`] |
//!
//! What was observed of each prompt is counted here as well: see [`tally`].
//!
//! - [`round`](Round): the prompts that are compared, and the keys of what belongs to them
//! - [`draw`](Draw): a sentence with what each prompt made of it, and which draws are kept
//! - [`queue`](Queue): the sentences that wait for somebody to annotate them
//! - [`annotation`](Annotation): what people say of a sentence
//! - [`counter`]: the two forms in which stores keep a number
//! - [`evidence`](Evidence): what the annotations say of the prompts
//! - [`tally`]: what was observed of each prompt
//! - [`limits`]: how many new sentences there may be

mod annotation;
pub mod counter;
mod draw;
mod evidence;
pub mod limits;
mod queue;
mod round;
pub mod tally;

pub use annotation::{Annotation, Given, Said};
pub use draw::{Draw, Stratum};
pub use evidence::{Evidence, Standing};
pub use queue::Queue;
pub use round::Round;
pub use tally::Tally;

/// A journal's value as another kind of store keeps it: counters differ between Redis and `SQLite`, everything else is the same.
pub fn converted(key: &str, value: Vec<u8>, into_redis: bool) -> Vec<u8> {
    let is_counter = round::is_counter(key)
        || limits::is_counter(key)
        || (key.starts_with(tally::PREFIX) && key != tally::INDEX_KEY);
    match counter::read(&value).and_then(|number| i64::try_from(number).ok()) {
        Some(number) if is_counter => counter::value(number, into_redis),
        _ => value,
    }
}

/// The label of the journal's store.
pub const LABEL: &str = "journal";

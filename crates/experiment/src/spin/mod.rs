//! Variants' stores on Spin, for components: keys, prompts and records over `wasi:keyvalue`.
//!
//! # An experiment of your own
//!
//! ```ignore
#![doc = include_str!("../../examples/help_desk.rs")]
//! ```
//!
//! What people say about its answers goes to [`Store::vote`]. [`Store::tally`] counts what was written, and [`report`]
//! says what all of it amounts to.

mod current;
mod journal;
mod results;
mod store;

pub use self::current::current_round;
pub use self::journal::Journal;
pub use self::results::report;
pub use self::store::{Changed, Store, StoreError, StoredValues};

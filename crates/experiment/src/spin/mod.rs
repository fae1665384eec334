//! Variants' stores on Spin, for components: keys, prompts and records over `wasi:keyvalue`.
//!
//! # An experiment of your own
//!
//! ```ignore
#![doc = include_str!("../../examples/help_desk.rs")]
//! ```
//!
//! What people say about its answers goes to [`Store::correct`], and a [`Survey`] makes a report of all observations.

mod journal;
mod store;
mod survey;

pub use self::journal::Journal;
pub use self::store::{Store, StoreError, StoredValues};
pub use self::survey::Survey;

//! What an app needs before it can answer: its components built, prompts in new stores, tallies of old ones, and the offline model.

pub(crate) mod build;
pub(crate) mod offline;
pub(crate) mod seed;
pub(crate) mod tally;

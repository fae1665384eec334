//! `kv`: stores and what is in them.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod rename;
pub(crate) mod set;
pub(crate) mod unset;
mod watch;

/// The form of exports, shared with the explorer: a line per entry.
mod json_lines;

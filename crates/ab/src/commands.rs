//! The commands, one file each. They take values, change things, and print through the printer.

pub(crate) mod annotate;
pub(crate) mod backfill;
pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod eval;
pub(crate) mod kv;
pub(crate) mod link;
pub(crate) mod model;
pub(crate) mod promote;
pub(crate) mod recount;
pub(crate) mod report;
pub(crate) mod unlink;
pub(crate) mod up;

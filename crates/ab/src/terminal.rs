//! The terminal: what a command prints, asks and is told there.

pub(crate) mod ask;
mod failure;
mod printer;
pub(crate) mod signal;
mod warning;

pub(crate) use self::failure::{Failure, failure, interrupted, program};
pub(crate) use self::printer::{Printer, without_control_characters};
pub(crate) use self::warning::Warning;

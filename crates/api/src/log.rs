//! Writing to the terminal. It is never allowed to fail a request, so unlike `eprintln!` this does not panic.

use std::{
    fmt,
    io::{self, Write},
};

/// Writes a line to standard error.
pub fn warn(message: impl fmt::Display) {
    let line = format!("{message}\n");
    _ = io::stderr().write_all(line.as_bytes());
}

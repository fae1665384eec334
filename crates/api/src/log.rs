//! Writing to the terminal. It is never allowed to fail a request, so unlike `println!` and `eprintln!` this does not panic.

use std::{
    fmt,
    io::{self, Write},
};

use serde::Serialize;

/// Writes an event to standard output: a line of JSON, in one piece.
pub fn event(event: &impl Serialize) {
    if let Ok(mut line) = serde_json::to_string(event) {
        line.push('\n');
        _ = io::stdout().write_all(line.as_bytes());
    }
}

/// Writes a line to standard error.
pub fn warn(message: impl fmt::Display) {
    let line = format!("{message}\n");
    _ = io::stderr().write_all(line.as_bytes());
}

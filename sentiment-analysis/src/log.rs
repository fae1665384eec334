//! What goes to the terminal: one JSON line for each request on standard output, the rest on standard error.
//!
//! A sentence is never logged. Writing is never allowed to fail a request, so unlike `println!` this does not panic.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use sentiment::Outcome;
use serde::Serialize;
use spin_sdk::http::StatusCode;

/// A request to classify a sentence, from which assignments can be counted.
#[derive(Serialize)]
pub(crate) struct Request<'l> {
    event: &'static str,
    status: u16,
    /// The label of the variant; none where the request was refused before one was assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'l str>,
    /// What came out; none where nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// Whether it came from the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<bool>,
    elapsed_ms: f64,
}

impl<'l> Request<'l> {
    /// A request that was answered.
    pub(crate) fn answered(variant: &'l str, outcome: Outcome, cached: bool) -> Self {
        Self { outcome: Some(outcome), cached: Some(cached), ..Self::failed(Some(variant), StatusCode::OK) }
    }

    /// A request that was not, before or after it was assigned a variant.
    pub(crate) fn failed(variant: Option<&'l str>, status: StatusCode) -> Self {
        Self {
            event: "sentiment",
            status: status.as_u16(),
            variant,
            outcome: None,
            cached: None,
            elapsed_ms: 0.0,
        }
    }

    /// Writes the line, in one piece.
    pub(crate) fn write(mut self, elapsed: Duration) {
        // In microseconds a request takes no more than u32 holds, which is 71 minutes.
        self.elapsed_ms = f64::from(u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX)) / 1e3;
        if let Ok(mut line) = serde_json::to_string(&self) {
            line.push('\n');
            _ = io::stdout().write_all(line.as_bytes());
        }
    }
}

/// Writes a line to standard error.
pub(crate) fn warn(message: impl fmt::Display) {
    let line = format!("{message}\n");
    _ = io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let json = |request: Request| serde_json::to_string(&request).unwrap();
        assert_eq!(
            json(Request::answered("promptstore1", Outcome::Positive, true)),
            r#"{"event":"sentiment","status":200,"variant":"promptstore1","outcome":"positive","cached":true,"elapsed_ms":0.0}"#
        );
        assert_eq!(
            json(Request::failed(Some("promptstore1"), StatusCode::BAD_GATEWAY)),
            r#"{"event":"sentiment","status":502,"variant":"promptstore1","elapsed_ms":0.0}"#
        );
        assert_eq!(
            json(Request::failed(None, StatusCode::BAD_REQUEST)),
            r#"{"event":"sentiment","status":400,"elapsed_ms":0.0}"#
        );
    }
}

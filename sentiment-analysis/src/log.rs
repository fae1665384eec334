//! What goes to standard output: one JSON line for each request to classify a sentence or to correct an answer, and one for
//! each instance that says which experiment is running.
//!
//! A sentence is never logged. Writing is never allowed to fail a request, so unlike `println!` this does not panic.

use std::{
    io::{self, Write},
    time::Duration,
};

use experiment::Experiment;
use http::StatusCode;
use sentiment::Outcome;
use serde::Serialize;

/// A request. Those to classify a sentence have the event `sentiment`: from them assignments can be counted. Corrections have
/// the event `feedback`.
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
    /// What a person said would have been right; null where they took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "to take it back is something else than to say nothing")]
    expected: Option<Option<Outcome>>,
    /// In microseconds; no more than fits is 71 minutes. An integer, as writing a fraction costs the most of the line.
    elapsed_us: u32,
}

impl<'l> Request<'l> {
    /// A request that was answered.
    pub(crate) fn answered(variant: &'l str, outcome: Outcome, cached: bool) -> Self {
        Self { outcome: Some(outcome), cached: Some(cached), ..Self::failed(Some(variant), StatusCode::OK) }
    }

    /// A request that was not, before or after it was assigned a variant.
    pub(crate) const fn failed(variant: Option<&'l str>, status: StatusCode) -> Self {
        Self { variant, ..Self::new("sentiment", status) }
    }

    /// A correction of the answer of a variant.
    pub(crate) fn corrected(variant: &'l str, outcome: Outcome, expected: Option<Outcome>) -> Self {
        Self {
            variant: Some(variant),
            outcome: Some(outcome),
            expected: Some(expected),
            ..Self::new("feedback", StatusCode::OK)
        }
    }

    /// A correction that was refused.
    pub(crate) const fn not_corrected(status: StatusCode) -> Self {
        Self::new("feedback", status)
    }

    const fn new(event: &'static str, status: StatusCode) -> Self {
        Self {
            event,
            status: status.as_u16(),
            variant: None,
            outcome: None,
            cached: None,
            expected: None,
            elapsed_us: 0,
        }
    }

    /// Writes the line, in one piece.
    pub(crate) fn write(mut self, elapsed: Duration) {
        self.elapsed_us = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        write_line(&self);
    }
}

/// The weights and the model in force, so that assignments can be told apart by them.
#[derive(Serialize)]
struct InForce<'l> {
    event: &'static str,
    /// As in the component's variable: `promptstore1=90,promptstore2=10`.
    variants: String,
    model: &'l str,
    /// Whether requests or visitors are assigned.
    assignment: &'static str,
}

/// Says which experiment is running, with which model. Once for each instance: a change of its variables makes new ones.
pub(crate) fn experiment(experiment: &Experiment, model: &str, assignment: &'static str) {
    let variants = experiment.variants().iter();
    let variants: Vec<_> =
        variants.map(|variant| format!("{}={}", variant.label(), variant.weight())).collect();
    write_line(&InForce { event: "experiment", variants: variants.join(","), model, assignment });
}

/// What a variant that was not served said to a sentence: an observation, but no assignment.
#[derive(Serialize)]
struct Shadow<'l> {
    event: &'static str,
    variant: &'l str,
    outcome: Outcome,
}

/// Says what a variant answered in the shadow of another.
pub(crate) fn shadow(variant: &str, outcome: Outcome) {
    write_line(&Shadow { event: "shadow", variant, outcome });
}

fn write_line(event: &impl Serialize) {
    if let Ok(mut line) = serde_json::to_string(event) {
        line.push('\n');
        _ = io::stdout().write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let json = |request: Request| serde_json::to_string(&request).unwrap();
        assert_eq!(
            json(Request::answered("promptstore1", Outcome::Positive, true)),
            r#"{"event":"sentiment","status":200,"variant":"promptstore1","outcome":"positive","cached":true,"elapsed_us":0}"#
        );
        assert_eq!(
            json(Request::failed(Some("promptstore1"), StatusCode::BAD_GATEWAY)),
            r#"{"event":"sentiment","status":502,"variant":"promptstore1","elapsed_us":0}"#
        );
        assert_eq!(
            json(Request::failed(None, StatusCode::BAD_REQUEST)),
            r#"{"event":"sentiment","status":400,"elapsed_us":0}"#
        );
        assert_eq!(
            json(Request::corrected("promptstore1", Outcome::Positive, Some(Outcome::Neutral))),
            r#"{"event":"feedback","status":200,"variant":"promptstore1","outcome":"positive","expected":"neutral","elapsed_us":0}"#
        );
        assert_eq!(
            json(Request::corrected("promptstore1", Outcome::Unsure, None)),
            r#"{"event":"feedback","status":200,"variant":"promptstore1","outcome":"unsure","expected":null,"elapsed_us":0}"#
        );
        assert_eq!(
            json(Request::not_corrected(StatusCode::NOT_FOUND)),
            r#"{"event":"feedback","status":404,"elapsed_us":0}"#
        );
    }
}

//! What goes to standard output: one JSON line for each request to classify a sentence, and one for each instance that says which experiment
//! is running. A sentence is never logged.

use std::time::Duration;

use api::log::event;
use experiment::Experiment;
use http::StatusCode;
use sentiment::Outcome;
use serde::Serialize;

/// A request to classify a sentence: from these lines assignments can be counted.
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
        Self {
            event: "sentiment",
            status: status.as_u16(),
            variant,
            outcome: None,
            cached: None,
            elapsed_us: 0,
        }
    }

    /// Writes the line, in one piece.
    pub(crate) fn write(mut self, elapsed: Duration) {
        self.elapsed_us = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        event(&self);
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
    event(&InForce { event: "experiment", variants: variants.join(","), model, assignment });
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
    }
}

//! What is answered, in one piece or as lines.

use std::time::{Instant, SystemTime};

use api::log::warn;
use bytes::Bytes;
use experiment::{
    analysis::{Outcomes, Report},
    spin::{Progress, StoreError, Survey},
    timestamp,
};
use problem::Problem;
use sentiment::Outcome;
use serde::Serialize;
use spin_sdk::http::HeaderMap;

/// The type of an answer in lines.
pub(crate) const LINES_TYPE: &str = "application/x-ndjson";

/// Whether a request accepts lines.
pub(crate) fn wants_lines(headers: &HeaderMap) -> bool {
    headers.get_all("accept").iter().any(|value| value.to_str().is_ok_and(|types| types.contains(LINES_TYPE)))
}

/// The labels that a person may give to a sentence, in the order in which reports have them, and the outcome that is none.
pub(crate) fn outcomes() -> Outcomes {
    let labels = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Unsure);
    Outcomes::new(labels.map(Outcome::as_str), Outcome::Unsure.as_str())
}

/// A report, and when and how fast it was made.
#[derive(Serialize)]
pub(crate) struct Document {
    at: String,
    elapsed_ms: u64,
    #[serde(flatten)]
    report: Report,
}

impl Document {
    /// A report that was begun at `started` and is ready now.
    pub(crate) fn new(report: Report, started: Instant) -> Self {
        let elapsed_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        Self { at: timestamp(SystemTime::now()), elapsed_ms, report }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Progress(Progress),
    Report(Box<Document>),
    Problem(Problem),
}

/// A survey as lines, each made when it is asked for: how far it has come, and last the report or a problem.
pub(crate) struct Lines {
    survey: Option<Survey<Outcome>>,
    started: Instant,
}

impl Lines {
    pub(crate) fn new(survey: Survey<Outcome>, started: Instant) -> Self {
        Self { survey: Some(survey), started }
    }
}

impl Iterator for Lines {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut survey = self.survey.take()?;
        let line = match survey.next() {
            Some(Ok(progress)) => {
                self.survey = Some(survey);
                Line::Progress(progress)
            }
            Some(Err(error)) => Line::Problem(broken_off(&error)),
            None => Line::Report(Box::new(Document::new(survey.report(), self.started))),
        };
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        Some(bytes.into())
    }
}

/// A store that cannot be read, as a problem; the log has the reason.
pub(crate) fn broken_off(error: &StoreError) -> Problem {
    warn(error);
    Problem::internal(format!("There are no results: {}.", error.public()))
}

#[cfg(test)]
mod tests {
    use spin_sdk::http::HeaderValue;

    use super::*;

    #[test]
    fn lines_are_for_those_who_ask_for_them() {
        let cases = [
            (None, false),
            (Some("*/*"), false),
            (Some("application/json"), false),
            (Some("application/x-ndjson"), true),
            (Some("text/html, application/x-ndjson;q=0.9"), true),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert("accept", HeaderValue::from_static(accept));
            }
            assert_eq!(wants_lines(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn each_line_says_what_it_is() {
        let progress =
            Progress { label: "promptstore1".to_owned(), variant: 1, variants: 2, read: 200, total: 1_000 };
        assert_eq!(
            serde_json::to_string(&Line::Progress(progress)).unwrap(),
            r#"{"progress":{"label":"promptstore1","variant":1,"variants":2,"read":200,"total":1000}}"#
        );
        let problem = Problem::internal("gone");
        assert_eq!(
            serde_json::to_string(&Line::Problem(problem)).unwrap(),
            r#"{"problem":{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"gone"}}"#
        );
    }

    #[test]
    fn unsure_is_no_label() {
        let report = experiment::analysis::Analysis::new(
            outcomes(),
            vec![experiment::analysis::CurrentVariant::new("a", 1, experiment::Fingerprint::of(""), "m")],
            experiment::analysis::Plan::default(),
        )
        .report();
        let document = serde_json::to_value(Document::new(report, Instant::now())).unwrap();
        let names = |pointer: &str, name: &str| -> Vec<String> {
            let rows = document.pointer(pointer).and_then(serde_json::Value::as_array).unwrap();
            rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("/variants/0/outcomes", "outcome"), ["positive", "neutral", "negative", "unsure"]);
        assert_eq!(names("/variants/0/confusion", "expected"), ["positive", "neutral", "negative"]);
    }
}

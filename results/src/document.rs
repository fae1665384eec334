//! What is answered, in one piece or as lines.

use std::time::{Instant, SystemTime};

use experiment::{
    analysis::{Progress, Report},
    presentation::Presentation,
    timestamp,
};
use http::HeaderMap;
use problem::Problem;
use serde::Serialize;

/// The type of an answer in lines.
pub(crate) const LINES_TYPE: &str = "application/x-ndjson";

/// Whether a request accepts lines.
pub(crate) fn wants_lines(headers: &HeaderMap) -> bool {
    headers.get_all("accept").iter().any(|value| value.to_str().is_ok_and(|types| types.contains(LINES_TYPE)))
}

/// A report in numbers and words, and when and how fast it was made.
#[derive(Serialize)]
pub(crate) struct Document {
    at: String,
    elapsed_ms: u64,
    /// What people should know about the model, or nothing.
    model_note: String,
    #[serde(flatten)]
    report: Report,
    presentation: Presentation,
}

impl Document {
    /// A report that was begun at `started` and is ready now.
    pub(crate) fn new(report: Report, model_note: String, started: Instant) -> Self {
        let elapsed_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let presentation = Presentation::of(&report);
        Self { at: timestamp(SystemTime::now()), elapsed_ms, model_note, report, presentation }
    }
}

/// A line of an answer in lines.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResultLine {
    Progress(Progress),
    Report(Box<Document>),
    Problem(Problem),
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use sentiment::Outcome;

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
            serde_json::to_string(&ResultLine::Progress(progress)).unwrap(),
            r#"{"progress":{"label":"promptstore1","variant":1,"variants":2,"read":200,"total":1000}}"#
        );
        let problem = Problem::internal("gone");
        assert_eq!(
            serde_json::to_string(&ResultLine::Problem(problem)).unwrap(),
            r#"{"problem":{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"gone"}}"#
        );
    }

    #[test]
    fn numbers_words_and_the_note_are_in_the_document() {
        let report = experiment::analysis::Analysis::new(
            Outcome::in_analysis(),
            vec![experiment::analysis::CurrentVariant::new("a", 1, experiment::Fingerprint::of(""), "m")],
            experiment::analysis::Plan::default(),
        )
        .report();
        let document =
            serde_json::to_value(Document::new(report, "A note.".to_owned(), Instant::now())).unwrap();
        let names = |pointer: &str, name: &str| -> Vec<String> {
            let rows = document.pointer(pointer).and_then(serde_json::Value::as_array).unwrap();
            rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("/variants/0/outcomes", "outcome"), ["positive", "neutral", "negative", "unsure"]);
        assert_eq!(names("/variants/0/confusion", "expected"), ["positive", "neutral", "negative"]);
        assert_eq!(document["model_note"], "A note.");
        assert_eq!(document["presentation"]["conclusion"]["heading"], "No observations yet");
    }
}

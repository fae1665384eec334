//! What is answered.

use std::time::{Instant, SystemTime};

use experiment::{analysis::Report, presentation::Presentation, timestamp};
use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use sentiment::Outcome;

    use super::*;

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

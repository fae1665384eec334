//! From the body of a request to a sentence.

use std::borrow::Cow;

use api::json;
use problem::Problem;
use sentiment::Sentence;
use serde::Deserialize;

/// What is to be classified. Other fields are ignored.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct Submission<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
}

impl<'b> Submission<'b> {
    /// Reads a body.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        json::read(body, r#"{"sentence": "…"}"#)
    }

    /// The sentence, if it can be classified.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        Sentence::new(&self.sentence).map_err(|error| Problem::bad_request(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let cases = [
            (r#"{"sentence": "I am so happy today"}"#, "I am so happy today"),
            (" \n{\"sentence\": \" prompt\\n\", \"other\": [1]}\n", "prompt"),
            (r#"{"sentence": "\ud83c\udf27 \"{SENTENCE}\" caf\u00e9 <b>"}"#, "🌧 \"{SENTENCE}\" café <b>"),
        ];
        for (body, expected) in cases {
            let submission = Submission::parse(body.as_bytes()).unwrap();
            assert_eq!(submission.sentence().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn mistakes() {
        let too_long = format!(r#"{{"sentence": "{}"}}"#, "a".repeat(Sentence::MAX_BYTES + 1));
        let cases = [
            (
                r#"{"Sentence": "a"}"#,
                r#"The body is not valid: missing field `sentence` at line 1 column 17. Send {"sentence": "…"}."#,
            ),
            (r#"{"sentence": " \n\u3000"}"#, "The sentence is empty. Write something to classify."),
            (&too_long, "The sentence is 4097 bytes long; the limit is 4096."),
            (r#"{"sentence": "a\u0000b"}"#, "The sentence contains a NUL character (U+0000). Remove it."),
        ];
        for (body, detail) in cases {
            let submission = Submission::parse(body.as_bytes());
            let problem = submission.and_then(|submission| submission.sentence().map(drop)).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.detail()), (400, detail));
        }
    }

    #[test]
    fn fuzz() {
        fuzz::bytes(&[r#"{"sentence": "I am so happy today", "other": [1]}"#], |body| {
            let _ = Submission::parse(body).and_then(|submission| submission.sentence().map(drop));
        });
    }
}

//! From a request's body to a sentence.

use std::borrow::Cow;

use problem::Problem;
use sentiment::Sentence;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Expected;

const EXPECTED: Expected = Expected("send {\"sentence\": \"…\"}");

/// What a body holds. Other fields are ignored.
#[derive(Deserialize)]
pub(crate) struct Submission<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
}

impl<'b> Submission<'b> {
    /// Reads a body. What is wrong with one that cannot be read is looked for only then.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        EXPECTED.read(body, mistake)
    }

    /// The sentence, if it is one that can be classified.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        Sentence::new(&self.sentence).map_err(|error| Problem::bad_request(error.to_string()))
    }
}

/// The same as [`Submission`], of whatever type.
#[derive(Deserialize)]
struct Fields<'b> {
    #[serde(borrow)]
    sentence: Option<&'b RawValue>,
}

fn mistake(text: &str) -> String {
    match serde_json::from_str(text) {
        Err(error) if error.is_data() => {
            format!("The body has more than one `sentence`: {}.", EXPECTED.0)
        }
        Err(error) => EXPECTED.not_json(&error),
        Ok(Fields { sentence: None }) => EXPECTED.missing("sentence"),
        Ok(Fields { sentence: Some(value) }) => EXPECTED.other_type("sentence", value.get()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
    fn each_mistake_has_its_own_detail() {
        let too_long = format!(r#"{{"sentence": "{}"}}"#, "a".repeat(Sentence::MAX_BYTES + 1));
        let cases: [(&[u8], &str); 22] = [
            (b"", "is empty"),
            (b"hello", "is not JSON"),
            (br#"{"sentence": "I am"#, "is not JSON"),
            (br#"{"sentence": "a"} b"#, "is not JSON"),
            (br#"{"sentence": 5} b"#, "is not JSON"),
            (b"\xef\xbb\xbf{\"sentence\": \"a\"}", "is not JSON"),
            (b"\xff\xfe", "from byte 0 on"),
            (b"{\"sentence\": \"\xc3\x28\"}", "from byte 14 on"),
            (br#"{"sentence": "\ud83c"}"#, "surrogate pair"),
            (br#"{"sentence": "\ud83c\n"}"#, "surrogate pair"),
            (br#"{"sentence": "\udf27"}"#, "surrogate pair"),
            (b"null", "is null"),
            (b" true", "is a boolean"),
            (br#"["I am so happy today"]"#, "is a list"),
            (br#""I am so happy today""#, "is a string"),
            (b"{}", "no `sentence`"),
            (br#"{"Sentence": "a"}"#, "no `sentence`"),
            (br#"{"sentence": null}"#, "no `sentence`"),
            (br#"{"sentence": 5}"#, "is a number"),
            (br#"{"sentence": {"text": "a"}}"#, "is an object"),
            (br#"{"sentence": "a", "sentence": "b"}"#, "more than one"),
            (br#"{"sentence": " \n\u3000"}"#, "The sentence is empty. Write"),
        ];
        let mut details = HashSet::new();
        let rest: [(&[u8], &str); 2] =
            [(too_long.as_bytes(), "4097 bytes"), (br#"{"sentence": "a\u0000b"}"#, "NUL")];
        for (body, part) in cases.into_iter().chain(rest) {
            let read = Submission::parse(body);
            let problem = read.and_then(|submission| submission.sentence().map(drop)).unwrap_err();
            assert_eq!(problem.status(), 400);
            assert!(problem.detail().contains(part), "{part:?} not in {:?}", problem.detail());
            details.insert(problem.detail().to_owned());
        }
        assert!(details.len() >= 18, "{details:#?}");
    }
}

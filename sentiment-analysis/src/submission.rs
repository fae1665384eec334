//! From a request's body to a sentence.
//!
//! The body's declared content type does not matter, as it did not in the API that this one replaces: `curl --data` says
//! that it sends a form. What a page of another site could send that way, [`crate::origin`] keeps out.

use std::borrow::Cow;

use sentiment::Sentence;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::Problem;

/// What is expected, for details.
const EXPECTED: &str = "send {\"sentence\": \"…\"}";

/// What a body holds. Other fields are ignored.
#[derive(Deserialize)]
pub(crate) struct Submission<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
}

impl<'b> Submission<'b> {
    /// Reads a body. What is wrong with one that cannot be read is looked for only then.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        let text = str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to();
            Problem::bad_request(format!(
                "The body is not UTF-8, from byte {at} on: encode it as UTF-8 and {EXPECTED}."
            ))
        })?;
        let submission =
            serde_json::from_str(text).map_err(|error| Problem::bad_request(mistake(text, &error)))?;
        // A list of one string is read as well, as an object without names.
        if is_object(text) { Ok(submission) } else { Err(Problem::bad_request(not_an_object(text))) }
    }

    /// The sentence, if it is one that can be classified.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        Sentence::new(&self.sentence)
            .map_err(|error| Problem::bad_request(format!("Not classified: {error}.")))
    }
}

/// Says why a text is not a submission, given what the parser says.
fn mistake(text: &str, error: &serde_json::Error) -> String {
    if text.trim().is_empty() {
        return format!("The body is empty: {EXPECTED}.");
    }
    if !error.is_data() {
        return not_json(error);
    }
    if !is_object(text) {
        return not_an_object(text);
    }
    match serde_json::from_str(text) {
        Err(error) if error.is_data() => format!("The body has more than one `sentence`: {EXPECTED}."),
        Err(error) => not_json(&error),
        Ok(Fields { sentence: None }) => format!("The body has no `sentence`: {EXPECTED}."),
        Ok(Fields { sentence: Some(value) }) => {
            format!("The `sentence` is {}, not a string: {EXPECTED}.", kind(value.get()))
        }
    }
}

fn not_json(error: &serde_json::Error) -> String {
    let error = error.to_string();
    // The parser names the one half or the other by what it expected in its place.
    if error.contains("surrogate") || error.contains("hex escape") {
        format!(
            "The body contains half of a surrogate pair, which is no character ({error}): escape a character beyond U+FFFF \
             as two halves, or do not escape it."
        )
    } else {
        format!("The body is not JSON ({error}): {EXPECTED}.")
    }
}

fn not_an_object(text: &str) -> String {
    format!("The body is {}, not an object: {EXPECTED}.", kind(text))
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The same as [`Submission`], of whatever type.
#[derive(Deserialize)]
struct Fields<'b> {
    #[serde(borrow)]
    sentence: Option<&'b RawValue>,
}

/// What a JSON value is called, by its first character.
fn kind(value: &str) -> &'static str {
    match value.trim_start().chars().next() {
        Some('{') => "an object",
        Some('[') => "a list",
        Some('"') => "a string",
        Some('t' | 'f') => "a boolean",
        Some('n') => "null",
        _ => "a number",
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
            (br#"{"sentence": " \n\u3000"}"#, "is empty: write"),
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

//! Reading the body of a request.
//!
//! The declared content type does not matter: `curl --data` says that it sends a form. [`crate::origin`] keeps out what a page of
//! another site could send that way.

use problem::Problem;
use serde::Deserialize;

/// Reads a JSON object. `hint` shows what to send instead of one that is not valid: `{"sentence": "…"}`.
pub fn read<'b, T: Deserialize<'b>>(body: &'b [u8], hint: &str) -> Result<T, Problem> {
    let read = match body.trim_ascii_start() {
        // A derived `Deserialize` takes a list for an object without names.
        [b'[', ..] => Err("a list, not an object".to_owned()),
        _ => serde_json::from_slice(body).map_err(|error| error.to_string()),
    };
    // The reason may quote the body, which may be long.
    read.map_err(|reason| Problem::bad_request(format!("The body is not valid: {reason:.200}. Send {hint}.")))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(expecting = "an object")]
    struct Sent<'b> {
        #[serde(borrow)]
        text: Cow<'b, str>,
    }

    #[test]
    fn objects() {
        for (body, text) in [
            (r#" {"text": "a", "more": [1]}"#, "a"),
            (r#"{"text": "\ud83c\udf27 \"caf\u00e9\""}"#, "🌧 \"café\""),
        ] {
            assert_eq!(read::<Sent>(body.as_bytes(), "").unwrap().text, text);
        }
    }

    #[test]
    fn a_mistake_is_named_with_what_to_send() {
        let long = format!("\"{}\"", "é".repeat(9_999));
        let cases: [(&[u8], &str); 12] = [
            (b"", "EOF while parsing a value at line 1 column 0"),
            (b"hello", "expected value at line 1 column 1"),
            (br#"{"text": "a"#, "EOF while parsing a string at line 1 column 11"),
            (br#"{"text": "a"} b"#, "trailing characters at line 1 column 15"),
            (b"{\"text\": \"\xff\"}", "invalid unicode code point at line 1 column 11"),
            (br#"{"text": "\ud83c"}"#, "unexpected end of hex escape at line 1 column 17"),
            (br#"["a"]"#, "a list, not an object"),
            (b"null", "invalid type: null, expected an object at line 1 column 4"),
            (b"{}", "missing field `text` at line 1 column 2"),
            (br#"{"text": 5}"#, "invalid type: integer `5`, expected a string at line 1 column 10"),
            (br#"{"text": "a", "text": "b"}"#, "duplicate field `text` at line 1 column 20"),
            (long.as_bytes(), &format!("invalid type: string \"{}", "é".repeat(178))),
        ];
        for (body, reason) in cases {
            let problem = read::<Sent>(body, r#"{"text": "…"}"#).unwrap_err();
            assert_eq!(problem.status(), 400);
            let expected = format!(r#"The body is not valid: {reason}. Send {{"text": "…"}}."#);
            assert_eq!(problem.detail(), expected);
        }
    }

    #[test]
    fn fuzz() {
        fuzz::bytes(&[r#" {"text": "caf\u00e9", "more": [1, {}]}"#], |body| drop(read::<Sent>(body, "")));
    }
}

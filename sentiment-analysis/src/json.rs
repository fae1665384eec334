//! What is wrong with a body that should be a JSON object, in words that say what to send.
//!
//! The body's declared content type does not matter, as it did not in the API that this one replaces: `curl --data` says
//! that it sends a form. What a page of another site could send that way, [`crate::origin`] keeps out.

use problem::Problem;
use serde::Deserialize;

/// What a body should be, for the details of problems: ``send {"sentence": "…"}``.
#[derive(Clone, Copy)]
pub(crate) struct Expected(pub(crate) &'static str);

impl Expected {
    /// Reads an object. `mistake` looks for what is wrong with a text that is JSON, but not what was expected.
    pub(crate) fn read<'b, T: Deserialize<'b>>(
        self,
        body: &'b [u8],
        mistake: impl FnOnce(&'b str) -> String,
    ) -> Result<T, Problem> {
        let Self(expected) = self;
        let text = str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to();
            Problem::bad_request(format!(
                "The body is not UTF-8, from byte {at} on: encode it as UTF-8 and {expected}."
            ))
        })?;
        // A list is read as well, as an object without names.
        let is_object = text.trim_start().starts_with('{');
        let detail = match serde_json::from_str(text) {
            Ok(object) if is_object => return Ok(object),
            Err(_) if text.trim().is_empty() => format!("The body is empty: {expected}."),
            Err(error) if !error.is_data() => self.not_json(&error),
            _ if !is_object => format!("The body is {}, not an object: {expected}.", kind(text)),
            Ok(_) | Err(_) => mistake(text),
        };
        Err(Problem::bad_request(detail))
    }

    /// Reads a string that is a part of a body.
    pub(crate) fn string(self, name: &str, value: &str) -> Result<String, String> {
        serde_json::from_str(value).map_err(|error| {
            if error.is_data() { self.other_type(name, value) } else { self.not_json(&error) }
        })
    }

    /// A field has a value of another type than text.
    pub(crate) fn other_type(self, name: &str, value: &str) -> String {
        format!("The `{name}` is {}, not a string: {}.", kind(value), self.0)
    }

    /// A field is not there.
    pub(crate) fn missing(self, name: &str) -> String {
        format!("The body has no `{name}`: {}.", self.0)
    }

    /// The body, or a part of it, is not JSON.
    pub(crate) fn not_json(self, error: &serde_json::Error) -> String {
        let error = error.to_string();
        // The parser names the one half or the other by what it expected in its place.
        if error.contains("surrogate") || error.contains("hex escape") {
            format!(
                "The body contains half of a surrogate pair, which is no character ({error}): escape a character beyond \
                 U+FFFF as two halves, or do not escape it."
            )
        } else {
            format!("The body is not JSON ({error}): {}.", self.0)
        }
    }
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

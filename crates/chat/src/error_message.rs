//! What a server says about an error, in the forms that servers have for it.

use serde_json::Value;

/// A server's own words, and what they name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ErrorMessage {
    /// What it says; empty where it says nothing that can be read.
    pub(crate) text: String,
    /// The parameter that it names apart from the text.
    pub(crate) parameter: Option<String>,
    /// Its code: a word such as `model_not_found`, or a status.
    pub(crate) code: Option<Value>,
}

impl ErrorMessage {
    /// Reads the body of an error: `{"error": {"message": …}}` as `OpenAI` writes it, `{"error": "…"}`, `{"detail": …}` or
    /// `{"message": …}`. `None` where the body says nothing about an error.
    pub(crate) fn read(body: &Value) -> Option<Self> {
        let error = match body {
            // Google's compatible address wraps it in a list.
            Value::Array(list) => return Self::read(list.first()?),
            Value::Object(_) => body.get("error").filter(|error| !error.is_null()).unwrap_or(body),
            _ => return None,
        };
        let said = match error {
            Value::String(_) => error,
            error => ["message", "detail", "error", "msg"].iter().find_map(|name| error.get(name))?,
        };
        let field = |name: &str| error.get(name).filter(|value| !value.is_null());
        Some(Self {
            text: words(said),
            parameter: field("param").and_then(Value::as_str).map(str::to_owned),
            code: field("code").cloned(),
        })
    }

    /// Whether the code is this word.
    pub(crate) fn has_code(&self, word: &str) -> bool {
        self.code.as_ref().is_some_and(|code| code == word)
    }

    /// The status that stands in the body, where the answer's own says nothing.
    pub(crate) fn status(&self) -> Option<u16> {
        match self.code.as_ref()? {
            Value::Number(code) => code.as_u64()?.try_into().ok(),
            Value::String(code) => code.parse().ok(),
            _ => None,
        }
    }
}

/// The text in a message: as it is; of a list, each; of a mistake in a field, the field's name and what is wrong with it, without
/// the value, which may be the prompt.
fn words(said: &Value) -> String {
    match said {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => words(&inner),
            _ => text.clone(),
        },
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let place = fields.get("loc").and_then(Value::as_array).and_then(|place| place.last()).map(words);
            let message = ["message", "msg", "detail"].iter().find_map(|name| fields.get(*name)).map(words);
            [place, message].into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_of_errors() {
        let detail = json!([
            { "loc": ["body", "seed"], "msg": "not permitted", "input": "the prompt" },
            { "loc": ["body", "messages", 0], "msg": "missing" },
        ]);
        let cases = [
            (json!({ "error": { "message": "no" } }), Some("no")),
            (json!({ "error": "no" }), Some("no")),
            (json!({ "error": { "error": "no" } }), Some("no")),
            (json!({ "message": "no" }), Some("no")),
            (json!({ "error": null, "message": "no" }), Some("no")),
            (json!({ "detail": "Not Found" }), Some("Not Found")),
            (json!({ "detail": detail }), Some("seed: not permitted; 0: missing")),
            (json!({ "message": { "detail": detail } }), Some("seed: not permitted; 0: missing")),
            (
                json!({ "message": json!({ "detail": detail }).to_string() }),
                Some("seed: not permitted; 0: missing"),
            ),
            (json!([{ "error": { "message": "no" } }]), Some("no")),
            (json!({ "error": {} }), None),
            (json!({ "choices": [] }), None),
            (json!("no"), None),
            (json!([]), None),
        ];
        for (body, expected) in cases {
            let message = ErrorMessage::read(&body);
            assert_eq!(message.map(|message| message.text).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn what_stands_beside_the_message() {
        let body = json!({ "error": { "message": "no", "param": "seed", "code": "429" } });
        let message = ErrorMessage::read(&body).unwrap();
        assert_eq!((message.parameter.as_deref(), message.status()), (Some("seed"), Some(429)));
        let body = json!({ "error": { "message": "no", "param": null, "code": "model_not_found" } });
        let message = ErrorMessage::read(&body).unwrap();
        assert_eq!((message.parameter.clone(), message.status()), (None, None));
        assert!(message.has_code("model_not_found"));
        assert_eq!(ErrorMessage::read(&json!({ "message": "no", "code": 404 })).unwrap().status(), Some(404));
    }
}

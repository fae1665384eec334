//! Spin's protocol for remote models: the request and its answer.

use problem::Problem;
use serde::{Deserialize, Serialize};
use spin_sdk::{
    http::StatusCode,
    llm::{Error, InferencingParams},
};

/// What to infer. Unknown fields are ignored.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct InferRequest {
    /// The model, by its name in `ai_models`.
    pub(crate) model: String,
    /// The text to complete.
    pub(crate) prompt: String,
    /// How to complete it.
    #[serde(default)]
    pub(crate) options: Options,
}

impl InferRequest {
    /// Reads a request's body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(body).map_err(|error| {
            Problem::bad_request(format!(
                "The request is not valid: {error}. Send {{\"model\": …, \"prompt\": …}} and, if need be, \"options\" \
                 such as {{\"maxTokens\": 6, \"temperature\": 0}}."
            ))
        })
    }
}

/// How to complete a prompt; what is not said is as in the Spin SDK.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    max_tokens: Option<u32>,
    repeat_penalty: Option<f32>,
    #[serde(rename = "repeatPenaltyLastNTokenCount")]
    repeat_penalty_last_n_token_count: Option<u32>,
    temperature: Option<f32>,
    top_k: Option<u32>,
    top_p: Option<f32>,
}

impl From<Options> for InferencingParams {
    fn from(options: Options) -> Self {
        let default = Self::default();
        Self {
            max_tokens: options.max_tokens.unwrap_or(default.max_tokens),
            repeat_penalty: options.repeat_penalty.unwrap_or(default.repeat_penalty),
            repeat_penalty_last_n_token_count: options
                .repeat_penalty_last_n_token_count
                .unwrap_or(default.repeat_penalty_last_n_token_count),
            temperature: options.temperature.unwrap_or(default.temperature),
            top_k: options.top_k.unwrap_or(default.top_k),
            top_p: options.top_p.unwrap_or(default.top_p),
        }
    }
}

/// The completion.
#[derive(Debug, Serialize)]
pub(crate) struct InferResponse<'t> {
    text: &'t str,
    usage: Usage,
}

/// What it took, in tokens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u32,
    generated_token_count: u32,
}

impl<'t> InferResponse<'t> {
    /// A completion and what it took.
    pub(crate) const fn new(text: &'t str, prompt_token_count: u32, generated_token_count: u32) -> Self {
        Self { text, usage: Usage { prompt_token_count, generated_token_count } }
    }

    /// The answer's body.
    pub(crate) fn to_json(&self) -> Result<String, Problem> {
        serde_json::to_string(self)
            .map_err(|error| Problem::internal(format!("The completion cannot be sent: {error}.")))
    }
}

/// What the host said instead of a completion. It goes to the app's own components, so it may repeat the host's message.
pub(crate) fn model_problem(model: &str, error: Error) -> Problem {
    match error {
        Error::InvalidInput(message) if message.contains("does not have access") => {
            Problem::new(StatusCode::FORBIDDEN, message)
        }
        Error::InvalidInput(message) => Problem::bad_request(message),
        Error::RuntimeError(message) => Problem::new(StatusCode::BAD_GATEWAY, message),
        Error::ModelNotSupported => {
            Problem::new(StatusCode::BAD_GATEWAY, format!("The host has no model named `{model}`."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_in_the_sdk() {
        let plain = InferRequest::parse(br#"{"model": "m", "prompt": "p"}"#).unwrap();
        assert_eq!((plain.model.as_str(), plain.prompt.as_str()), ("m", "p"));
        let (params, default) = (InferencingParams::from(plain.options), InferencingParams::default());
        assert_eq!(format!("{params:?}"), format!("{default:?}"));
    }

    #[test]
    fn what_spin_sends_is_understood() {
        let body =
            br#"{"model": "m", "prompt": "p", "extra": [], "options": {"maxTokens": 6, "repeatPenalty": 1.5,
            "repeatPenaltyLastNTokenCount": 7, "temperature": 0, "topK": 8, "topP": 0.5}}"#;
        let params = InferencingParams::from(InferRequest::parse(body).unwrap().options);
        assert_eq!(
            format!("{params:?}"),
            "InferencingParams { max-tokens: 6, repeat-penalty: 1.5, repeat-penalty-last-n-token-count: 7, \
             temperature: 0.0, top-k: 8, top-p: 0.5 }"
        );
    }

    #[test]
    fn other_bodies_are_malformed() {
        let bodies: [&[u8]; 7] = [
            b"",
            b"hello",
            b"\xff",
            br#"{"prompt": "p"}"#,
            br#"{"model": "m", "prompt": 5}"#,
            br#"{"model": "m", "prompt": "p", "options": {"maxTokens": -1}}"#,
            br#"{"model": "m", "prompt": "\ud800"}"#,
        ];
        for body in bodies {
            assert_eq!(InferRequest::parse(body).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn what_the_host_says_has_a_status() {
        let no_access =
            "The component does not have access to use 'm'. To give the component access, add 'm' to …";
        let cases = [
            (Error::InvalidInput(no_access.to_owned()), 403, no_access),
            (Error::InvalidInput("no text".to_owned()), 400, "no text"),
            (Error::RuntimeError("request error".to_owned()), 502, "request error"),
            (Error::ModelNotSupported, 502, "The host has no model named `m`."),
        ];
        for (error, status, detail) in cases {
            let problem = model_problem("m", error);
            assert_eq!((problem.status().as_u16(), problem.detail()), (status, detail));
        }
    }

    #[test]
    fn the_answer_is_the_protocols() {
        let json = InferResponse::new(" positive\n", 96, 3).to_json().unwrap();
        assert_eq!(json, r#"{"text":" positive\n","usage":{"promptTokenCount":96,"generatedTokenCount":3}}"#);
    }
}

//! Spin's protocol for remote models: the request and its answer.

use serde::{Deserialize, Serialize};
use spin_sdk::llm::InferencingParams;

use crate::problem::Problem;

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
        serde_json::from_slice(body).map_err(|error| Problem::malformed(&error.to_string()))
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
        serde_json::to_string(self).map_err(|error| Problem::internal(&error.to_string()))
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
    fn the_answer_is_the_protocols() {
        let json = InferResponse::new(" positive\n", 96, 3).to_json().unwrap();
        assert_eq!(json, r#"{"text":" positive\n","usage":{"promptTokenCount":96,"generatedTokenCount":3}}"#);
    }
}

//! Asking the component that has the model, in Spin's protocol for remote models.

use std::{fmt, pin::pin};

use futures::future::{Either, select};
use problem::Problem;
use sentiment::MAX_TOKENS;
use serde::{Deserialize, Serialize};
use spin_sdk::{
    http::{self, Request, StatusCode},
    time::sleep,
};

use crate::{
    body::{self, Unread},
    config::Config,
};

/// Where the component is, for the app's other components.
const URL: &str = "http://inference.spin.internal/infer";

/// The longest answer, in bytes: some tokens, or a problem.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

#[derive(Serialize)]
struct InferRequest<'r> {
    model: &'r str,
    prompt: &'r str,
    options: Options,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    max_tokens: u32,
    temperature: f32,
}

/// What the model generated.
#[derive(Debug, Deserialize)]
pub(crate) struct Completion {
    /// The text, sometimes behind an echo of the prompt.
    pub(crate) text: String,
    /// What it took.
    #[serde(default)]
    pub(crate) usage: Usage,
}

/// Tokens; 0 where the model did not say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Usage {
    pub(crate) prompt_token_count: u32,
    pub(crate) generated_token_count: u32,
}

/// Lets the model complete a rendered prompt, within the configured time.
pub(crate) async fn infer(config: &Config, prompt: &str) -> Result<Completion, InferenceError> {
    match select(pin!(send(config, prompt)), pin!(sleep(config.model_timeout))).await {
        Either::Left((completion, _)) => completion,
        Either::Right(((), _)) => Err(InferenceError::Timeout),
    }
}

async fn send(config: &Config, prompt: &str) -> Result<Completion, InferenceError> {
    let options = Options { max_tokens: MAX_TOKENS, temperature: config.temperature };
    let body = serde_json::to_string(&InferRequest { model: &config.model, prompt, options })
        .map_err(InferenceError::failed)?;
    let request = Request::<()>::post(URL)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(body)
        .map_err(InferenceError::failed)?;
    let response = http::send(request).await.map_err(InferenceError::failed)?;
    let status = response.status();
    let body =
        body::read(&mut response.into_body(), MAX_ANSWER_BYTES).await.map_err(|error| match error {
            Unread::TooLong => InferenceError::failed("the answer is too long"),
            Unread::Broken(error) => InferenceError::failed(error),
        })?;
    read_answer(status, &body)
}

/// The completion in an answer, or the reason in a problem.
fn read_answer(status: StatusCode, body: &[u8]) -> Result<Completion, InferenceError> {
    /// As much of a problem as is needed.
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }

    if status == StatusCode::OK {
        return serde_json::from_slice(body)
            .map_err(|error| InferenceError::failed(format_args!("no completion: {error}")));
    }
    let reason = match serde_json::from_slice(body) {
        Ok(Problem { detail }) => format!("{status}: {detail}"),
        Err(_) => status.to_string(),
    };
    Err(if status == StatusCode::FORBIDDEN {
        InferenceError::NotGranted(reason)
    } else {
        InferenceError::Failed(reason)
    })
}

/// Why there is no completion. The reasons are for the log; they may name hosts.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum InferenceError {
    /// It took longer than the configured time.
    Timeout,
    /// The manifest does not grant the model.
    NotGranted(String),
    /// The model could not be reached, failed, or answered something else.
    Failed(String),
}

impl InferenceError {
    fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// What the client may know.
    pub(crate) fn problem(&self, config: &Config) -> Problem {
        const NOTHING: &str = "The sentence was not classified, and nothing was recorded.";
        let Config { model, model_timeout, .. } = config;
        match self {
            Self::Timeout => Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                format!(
                    "The model `{model}` did not answer within {} ms. {NOTHING} Try again, or raise the variable \
                     `model_timeout`.",
                    model_timeout.as_millis()
                ),
            ),
            Self::NotGranted(_) => Problem::new(
                StatusCode::BAD_GATEWAY,
                format!(
                    "The app may not use the model `{model}`. {NOTHING} Add the model to the `ai_models` of the component \
                     `inference` in spin.toml."
                ),
            ),
            Self::Failed(_) => Problem::new(
                StatusCode::BAD_GATEWAY,
                format!(
                    "The model `{model}` gave no answer. {NOTHING} Try again; the app's log has the reason."
                ),
            ),
        }
    }
}

impl fmt::Display for InferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("the model did not answer in time"),
            Self::NotGranted(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions() {
        let cases = [
            (
                r#"{"text": "positive", "usage": {"promptTokenCount": 96, "generatedTokenCount": 3}}"#,
                ("positive", 96, 3),
            ),
            (r#"{"text": "", "usage": {}}"#, ("", 0, 0)),
            (r#"{"text": "a", "more": 1}"#, ("a", 0, 0)),
        ];
        for (body, expected) in cases {
            let Completion { text, usage } = read_answer(StatusCode::OK, body.as_bytes()).unwrap();
            assert_eq!((text.as_str(), usage.prompt_token_count, usage.generated_token_count), expected);
        }
    }

    #[test]
    fn anything_else_is_a_failure() {
        let detail: &[u8] = br#"{"status": 502, "detail": "connection refused"}"#;
        let cases: [(StatusCode, &[u8], InferenceError); 4] = [
            (
                StatusCode::BAD_GATEWAY,
                detail,
                InferenceError::Failed("502 Bad Gateway: connection refused".to_owned()),
            ),
            (StatusCode::NOT_FOUND, b"<html>", InferenceError::Failed("404 Not Found".to_owned())),
            (StatusCode::FORBIDDEN, b"{}", InferenceError::NotGranted("403 Forbidden".to_owned())),
            (
                StatusCode::OK,
                b"<html>",
                InferenceError::Failed("no completion: expected value at line 1 column 1".to_owned()),
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(read_answer(status, body).unwrap_err(), expected);
        }
    }
}

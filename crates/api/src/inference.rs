//! The private call by which a component of the app asks the component `inference` to complete a prompt, for both its ends.
//!
//! It has the form in which Spin itself asks a remote model server, with a few options more: a POST of an [`InferenceRequest`] to
//! [`URL`], answered with a [`Completion`]. A failure is a problem (RFC 9457), whose type says which kind it is.

use std::{borrow::Cow, fmt, time::Duration};

pub use chat::FailureKind;
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use problem::{Problem, TYPE_PREFIX};
use serde::{Deserialize, Serialize};

use crate::json;

/// Where the component answers.
pub const PATH: &str = "/infer";

/// The same for the app's other components, which need the host in their `allowed_outbound_hosts`.
pub const URL: &str = "http://inference.spin.internal/infer";

/// What to complete, and how. Unknown fields are ignored.
#[derive(Debug, Deserialize, Serialize)]
pub struct InferenceRequest<'r> {
    /// The model, by its name in `ai_models`.
    #[serde(borrow)]
    pub model: Cow<'r, str>,
    /// The text to complete.
    #[serde(borrow)]
    pub prompt: Cow<'r, str>,
    /// How to complete it.
    #[serde(default)]
    pub options: InferenceOptions,
}

impl<'r> InferenceRequest<'r> {
    /// Reads the body of a request.
    pub fn read(body: &'r [u8]) -> Result<Self, Problem> {
        json::read(body, r#"{"model": "…", "prompt": "…", "options": {"maxTokens": 6, "temperature": 0}}"#)
    }
}

/// How to complete a prompt. The Spin SDK's defaults take the place of what is not set.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of Spin's model interface, which explains them")]
pub struct InferenceOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_penalty: Option<f32>,
    #[serde(rename = "repeatPenaltyLastNTokenCount", skip_serializing_if = "Option::is_none")]
    pub repeat_penalty_last_n_token_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// What makes the choice of tokens repeatable. Only for a model server that is asked directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// How long the answer is waited for, in milliseconds. Only for a model server that is asked directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What the model generated.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Completion {
    /// The text, sometimes after an echo of the prompt.
    pub text: String,
    /// How many tokens it took.
    #[serde(default)]
    pub usage: TokenUsage,
}

/// Numbers of tokens; 0 where the model did not say.
#[derive(Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenUsage {
    /// Tokens of the prompt.
    pub prompt_token_count: u32,
    /// Tokens of the completion.
    pub generated_token_count: u32,
}

/// Why there is no completion. The reasons are for the log; they may name hosts.
#[derive(Debug, Eq, PartialEq)]
pub enum InferenceFailure {
    /// It took longer than the asking component waits.
    TimedOut,
    /// The manifest does not grant the model.
    NotGranted(String),
    /// The model server could not be asked, or gave no completion.
    Server {
        /// What went wrong.
        kind: FailureKind,
        /// What the operator needs to know.
        reason: String,
        /// After how long the server wants to be asked again, if it says so.
        retry_after: Option<Duration>,
    },
    /// There is no completion for another reason.
    Failed(String),
}

impl InferenceFailure {
    /// A failure for any reason but the ones with a variant of their own.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// The answer of the component that infers.
    pub fn problem(self) -> Problem {
        match self {
            Self::Server { kind, reason, retry_after } => server_problem(kind, reason, retry_after),
            Self::TimedOut => Problem::new(StatusCode::GATEWAY_TIMEOUT, self.to_string()),
            Self::NotGranted(reason) => Problem::new(StatusCode::FORBIDDEN, reason),
            Self::Failed(reason) => Problem::new(StatusCode::BAD_GATEWAY, reason),
        }
    }

    /// What a response other than a completion means to the component that asked.
    fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        /// As much of a problem as is needed.
        #[derive(Deserialize)]
        struct Members {
            #[serde(default)]
            r#type: String,
            detail: String,
        }

        let (kind, reason) = match serde_json::from_slice(body) {
            Ok(Members { r#type, detail }) => {
                match r#type.strip_prefix(TYPE_PREFIX).and_then(FailureKind::from_slug) {
                    Some(kind) => (Some(kind), detail),
                    None => (None, format!("{status}: {detail}")),
                }
            }
            Err(_) => (None, status.to_string()),
        };
        if let Some(kind) = kind {
            let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            return Self::Server { kind, reason, retry_after: seconds.map(Duration::from_secs) };
        }
        match status {
            StatusCode::FORBIDDEN => Self::NotGranted(reason),
            StatusCode::GATEWAY_TIMEOUT => Self::TimedOut,
            _ => Self::Failed(reason),
        }
    }
}

impl fmt::Display for InferenceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the model did not answer in time"),
            Self::NotGranted(reason) | Self::Failed(reason) => f.write_str(reason),
            Self::Server { kind, reason, .. } => write!(f, "{reason}; {}", kind.hint()),
        }
    }
}

/// The problem of a failure of the model server, with a type of its own.
pub fn server_problem(
    kind: FailureKind,
    detail: impl Into<Cow<'static, str>>,
    retry_after: Option<Duration>,
) -> Problem {
    let problem = Problem::new(kind.status(), detail).with_kind(kind.slug());
    match retry_after {
        Some(time) => problem.with_header("retry-after", &time.as_secs().to_string()),
        None => problem,
    }
}

/// Reads the response to an [`InferenceRequest`].
pub fn read_response(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Completion, InferenceFailure> {
    if status == StatusCode::OK {
        serde_json::from_slice(body).map_err(|error| {
            InferenceFailure::failed(format_args!("the response is not a completion: {error}"))
        })
    } else {
        Err(InferenceFailure::read(status, headers, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let plain = InferenceRequest::read(br#"{"model": "m", "prompt": "p\n"}"#).unwrap();
        assert_eq!(
            (&*plain.model, &*plain.prompt, &plain.options),
            ("m", "p\n", &InferenceOptions::default())
        );
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"model":"m","prompt":"p\n","options":{}}"#);

        let as_spin_sends = r#"{"maxTokens":6,"repeatPenalty":1.5,"repeatPenaltyLastNTokenCount":7,"temperature":0.0,"topK":8,"topP":0.5}"#;
        let body = format!(r#"{{"model": "m", "prompt": "p", "extra": [], "options": {as_spin_sends}}}"#);
        let options = InferenceRequest::read(body.as_bytes()).unwrap().options;
        assert_eq!(serde_json::to_string(&options).unwrap(), as_spin_sends);
    }

    #[test]
    fn other_requests_are_refused() {
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
            assert_eq!(InferenceRequest::read(body).unwrap_err().status(), 400);
        }
    }

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
            let Completion { text, usage } =
                read_response(StatusCode::OK, &HeaderMap::new(), body.as_bytes()).unwrap();
            assert_eq!((text.as_str(), usage.prompt_token_count, usage.generated_token_count), expected);
        }
    }

    #[test]
    fn a_failure_of_one_end_is_that_failure_at_the_other() {
        let failed = |reason: &str| InferenceFailure::Failed(reason.to_owned());
        let rate_limited = |seconds: Option<u64>| InferenceFailure::Server {
            kind: FailureKind::RateLimited,
            reason: "the model server received too many requests".to_owned(),
            retry_after: seconds.map(Duration::from_secs),
        };
        let cases = [
            (InferenceFailure::TimedOut, InferenceFailure::TimedOut),
            (
                InferenceFailure::NotGranted("no access".to_owned()),
                InferenceFailure::NotGranted("403 Forbidden: no access".to_owned()),
            ),
            (failed("connection refused"), failed("502 Bad Gateway: connection refused")),
            (rate_limited(Some(7)), rate_limited(Some(7))),
            (rate_limited(None), rate_limited(None)),
        ];
        for (sent, expected) in cases {
            let response = sent.problem().into_response();
            let (head, body) = response.into_parts();
            assert_eq!(read_response(head.status, &head.headers, body.as_bytes()), Err(expected));
        }
    }

    #[test]
    fn anything_else_is_a_failure() {
        let cases: [(StatusCode, &str, &str); 3] = [
            (StatusCode::NOT_FOUND, "<html>", "404 Not Found"),
            (StatusCode::OK, "<html>", "the response is not a completion: expected value at line 1 column 1"),
            (
                StatusCode::OK,
                "{}",
                "the response is not a completion: missing field `text` at line 1 column 2",
            ),
        ];
        for (status, body, reason) in cases {
            assert_eq!(
                read_response(status, &HeaderMap::new(), body.as_bytes()),
                Err(InferenceFailure::Failed(reason.to_owned()))
            );
        }
    }

    #[test]
    fn fuzz() {
        let seeds = [
            r#"{"model": "m", "prompt": "p", "options": {"maxTokens": 6, "temperature": 0, "timeoutMs": 30000}}"#,
            r#"{"text": "positive", "usage": {"promptTokenCount": 80, "generatedTokenCount": 2}}"#,
            r#"{"type": "about:blank", "title": "Bad Gateway", "status": 502, "detail": "why"}"#,
        ];
        fuzz::bytes(&seeds, |body| {
            let _ = InferenceRequest::read(body);
            for status in [StatusCode::OK, StatusCode::BAD_GATEWAY] {
                let _ = read_response(status, &HeaderMap::new(), body);
            }
        });
    }
}

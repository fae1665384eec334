//! Models: a client of the server that answers prompts, over either of the protocols that Spin speaks.

mod default_api;
mod open_ai;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use http_client::{Error, HttpClient};
use serde::Serialize;
use spin_app::runtime_config::{ApiType, LlmConfig};
use stores::PerRuntime;
use url::Url;

use crate::observer::Trace;

/// The longest answer taken, in bytes: a completion has some kilobytes, a list of embeddings more.
const MOST_COMPLETION: usize = 1 << 20;
const MOST_EMBEDDINGS: usize = 32 << 20;

/// A prompt for a model, with Spin's parameters. The protocol `open_ai` sends fewer of them, as Spin does.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The model's name, as its server knows it.
    pub model: String,
    /// The prompt.
    pub prompt: String,
    /// How many tokens to generate at most.
    pub max_tokens: u32,
    /// How much to avoid repeating tokens.
    pub repeat_penalty: f32,
    /// For how many of the last tokens.
    pub repeat_penalty_last_n_token_count: u32,
    /// How random the choice of tokens is; 0 is not at all.
    pub temperature: f32,
    /// From how many of the likeliest tokens to choose.
    pub top_k: u32,
    /// From which share of probability to choose.
    pub top_p: f32,
}

/// What a model made of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The completion; some servers repeat the prompt before it.
    pub text: String,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens generated.
    pub generated_tokens: u32,
}

/// Texts as vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// A vector for each text.
    pub embeddings: Vec<Vec<f32>>,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
}

/// Why a model gave no answer. The messages begin as those which a guest sees on Spin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The configured address cannot be used.
    #[error("the url of the model is not valid: {reason}")]
    Url {
        /// Which rule it breaks.
        reason: String,
    },
    /// The configured token cannot be sent.
    #[error("the auth_token of the model has a character that no header may have")]
    Token,
    /// The server cannot be reached, or broke off.
    #[error("POST {path} request error: {reason}")]
    Request {
        /// What was asked for.
        path: &'static str,
        /// Why.
        reason: String,
    },
    /// The server took too long.
    #[error("POST {path} request error: timed out after {limit:?}")]
    TimedOut {
        /// What was asked for.
        path: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The answer is longer than any completion.
    #[error("POST {path} request error: query result exceeds limit of {limit} bytes")]
    TooLarge {
        /// What was asked for.
        path: &'static str,
        /// The most that is taken.
        limit: usize,
    },
    /// The answer is not of the protocol.
    #[error("Failed to deserialize response for \"POST {path}\" (status {status}): {reason}")]
    Answer {
        /// What was asked for.
        path: &'static str,
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with it.
        reason: String,
    },
    /// The server answered with an error of its own, in the protocol's form.
    #[error("{message}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// What it says.
        message: String,
    },
}

impl ModelError {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Url { .. } => Some("write url = \"http://host:port\""),
            Self::Token => Some("copy the token again, without line breaks"),
            Self::Request { .. } => {
                Some("check that the model server is running and that the url in [llm_compute] is right")
            }
            Self::TimedOut { .. } => Some("use a smaller model, or allow more time"),
            Self::Answer { .. } => Some("check the url and the api_type in [llm_compute]"),
            Self::TooLarge { .. } | Self::Refused { .. } => None,
        }
    }
}

/// A client of one model server. Cheap to clone; any number of inferences run at once, over connections that are kept.
#[derive(Clone)]
pub struct ModelClient {
    shared: Arc<Shared>,
    trace: Trace,
}

struct Shared {
    api: ApiType,
    url: Url,
    authorization: HeaderValue,
    limit: Duration,
    clients: PerRuntime<HttpClient>,
}

impl ModelClient {
    /// A client for the server of `config`, which may take `limit` for one answer. Connects at the first use.
    ///
    /// # Errors
    ///
    /// When the address or the token cannot be used.
    pub fn new(config: &LlmConfig, limit: Duration) -> Result<Self, ModelError> {
        let invalid = |reason: String| ModelError::Url { reason };
        let url = Url::parse(&config.url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("it starts neither with http:// nor with https://".to_owned()));
        }
        let mut authorization =
            HeaderValue::from_str(&format!("bearer {}", config.auth_token)).map_err(|_| ModelError::Token)?;
        authorization.set_sensitive(true);
        let shared =
            Shared { api: config.api, url, authorization, limit, clients: PerRuntime::default() }.into();
        Ok(Self { shared, trace: Trace::default() })
    }

    /// The same client for requests that are a part of `trace`.
    pub(crate) fn within(&self, trace: Trace) -> Self {
        Self { shared: self.shared.clone(), trace }
    }

    /// Completes a prompt.
    pub async fn infer(&self, inference: Inference) -> Result<Completion, ModelError> {
        match self.shared.api {
            ApiType::Default => {
                let request = default_api::InferRequest::new(&inference);
                let answer = self.post(default_api::INFER, None, &request, MOST_COMPLETION).await?;
                answer.read(default_api::completion)
            }
            ApiType::OpenAi => {
                let request = open_ai::ChatRequest::new(&inference);
                let answer = self.post(open_ai::CHAT, Some(JSON), &request, MOST_COMPLETION).await?;
                answer.read(open_ai::completion)
            }
        }
    }

    /// Turns each text into a vector.
    pub async fn embed(&self, model: &str, texts: &[String]) -> Result<Embeddings, ModelError> {
        // Both protocols ask in the same way.
        let request = EmbedRequest { model, input: texts };
        match self.shared.api {
            ApiType::Default => {
                let answer = self.post(default_api::EMBED, None, &request, MOST_EMBEDDINGS).await?;
                answer.read(default_api::embeddings)
            }
            ApiType::OpenAi => {
                let answer = self.post(open_ai::EMBED, Some(JSON), &request, MOST_EMBEDDINGS).await?;
                answer.read(open_ai::embeddings)
            }
        }
    }

    /// Posts `request` to `path`, which replaces the path of the configured address, as it does on Spin.
    async fn post(
        &self,
        path: &'static str,
        content_type: Option<HeaderValue>,
        request: &impl Serialize,
        most: usize,
    ) -> Result<Answer, ModelError> {
        let shared = &*self.shared;
        let failed = |reason: String| ModelError::Request { path, reason };
        let url = shared.url.join(path).map_err(|error| failed(error.to_string()))?;
        let body = serde_json::to_vec(request).map_err(|error| failed(error.to_string()))?;
        let mut request = Request::post(url.as_str()).header(AUTHORIZATION, shared.authorization.clone());
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(headers) = request.headers_mut() {
            self.trace.insert_into(headers);
        }
        let request = request.body(body).map_err(|error| failed(error.to_string()))?;
        let Ok(client) = shared.clients.get(|| Ok::<_, Infallible>(HttpClient::new()));
        let response = client.exchange(request, shared.limit, most).await.map_err(|error| match error {
            Error::ResponseTimeout(limit) => ModelError::TimedOut { path, limit },
            Error::TooLarge(limit) => ModelError::TooLarge { path, limit },
            error => failed(error.to_string()),
        })?;
        Ok(Answer { path, status: response.status(), body: response.into_body() })
    }
}

/// Without the token.
impl fmt::Debug for ModelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelClient").field("api", &self.shared.api).finish_non_exhaustive()
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct EmbedRequest<'a> {
    model: &'a str,
    input: &'a [String],
}

/// What a server answered, whatever its status: both protocols tell success and failure by the body.
struct Answer {
    path: &'static str,
    status: StatusCode,
    body: Bytes,
}

/// Why a body is not what it should be.
enum Unread {
    /// Not of the protocol.
    Malformed(serde_json::Error),
    /// The protocol's own form of an error.
    Refused(String),
}

impl Answer {
    fn read<T>(self, parse: impl FnOnce(&[u8]) -> Result<T, Unread>) -> Result<T, ModelError> {
        let Self { path, status, body } = self;
        parse(&body).map_err(|unread| match unread {
            Unread::Malformed(error) => ModelError::Answer { path, status, reason: error.to_string() },
            Unread::Refused(message) => ModelError::Refused { status, message },
        })
    }
}

#[cfg(test)]
mod tests;

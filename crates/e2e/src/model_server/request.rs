//! What the server is asked, and what it does then.

use std::time::Duration;

use serde_json::Value;

/// What the server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Completes the prompt with this text.
    Text(String),
    /// Completes it with the prompt itself, followed by this text, as a local model of Spin's does.
    Echo(String),
    /// Answers with this HTTP status and an error in the protocol's shape.
    Status(u16),
    /// Answers 200 with a body that is not JSON.
    Garbage,
    /// Answers 429 and wants to be asked again after so many seconds.
    RateLimited(u32),
    /// Answers 200 with a page of HTML.
    Page,
    /// Answers 200 with a body that never ends.
    Endless,
    /// In `OpenAI`'s protocol: `content` is `null`, as the limit of tokens was reached before there was any.
    NoContent,
    /// In `OpenAI`'s protocol: completes the prompt with the text, and gives the reasoning beside it.
    Thinking {
        /// What is in `reasoning_content`.
        reasoning: String,
        /// What is in `content`.
        text: String,
    },
    /// Answers 200 with JSON that is not the protocol's.
    WrongJson,
    /// Closes the connection before the first byte of an answer.
    CutBeforeAnswer,
    /// Sends the head and half of the body of an answer with this text, then closes the connection.
    CutMidAnswer(String),
    /// The reply, this much later.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// The reply, `delay` later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The two protocols that a model can be asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /infer`
    Infer,
    /// `POST /v1/chat/completions`, or below another path.
    OpenAi,
}

/// A request as the server got it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The protocol of the request.
    pub protocol: Protocol,
    /// The path with the query.
    pub path: String,
    /// The model it asked for.
    pub model: String,
    /// The prompt, or the only message.
    pub prompt: String,
    /// In Spin's protocol its `options`, in `OpenAI`'s all that is neither model nor messages.
    pub options: Value,
    /// The header `authorization`.
    pub authorization: Option<String>,
    /// The header `api-key`, which Azure wants.
    pub api_key: Option<String>,
}

impl ModelRequest {
    /// What replaced `{SENTENCE}` in a prompt of the article's form; of other prompts the whole.
    pub fn sentence(&self) -> &str {
        self.prompt.split_once("[/INST]\nUser: ").map_or(self.prompt.as_str(), |(_, sentence)| sentence)
    }
}

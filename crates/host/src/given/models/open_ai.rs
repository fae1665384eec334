//! The protocol of `OpenAI` and many others, `api_type = "open_ai"`, with what Spin sends of it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Completion, Embeddings, Inference, Unread};

pub(super) const CHAT: &str = "/v1/chat/completions";
pub(super) const EMBED: &str = "/v1/embeddings";

#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    messages: [Message<'a>; 1],
    model: &'a str,
    max_completion_tokens: u32,
    frequency_penalty: f32,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> ChatRequest<'a> {
    pub(super) fn new(inference: &'a Inference) -> Self {
        Self {
            messages: [Message { role: "user", content: &inference.prompt }],
            model: &inference.model,
            max_completion_tokens: inference.max_tokens,
            frequency_penalty: inference.repeat_penalty,
        }
    }
}

#[derive(Deserialize)]
struct ChatAnswer {
    choices: Vec<Choice>,
    usage: ChatUsage,
}

#[derive(Deserialize)]
struct Choice {
    message: Content,
}

#[derive(Deserialize)]
struct Content {
    content: String,
}

#[derive(Deserialize)]
struct ChatUsage {
    prompt_tokens: u32,
    completion_tokens: u32,
}

#[derive(Deserialize)]
struct EmbedAnswer {
    data: Vec<Embedding>,
    usage: EmbedUsage,
}

#[derive(Deserialize)]
struct Embedding {
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct EmbedUsage {
    prompt_tokens: u32,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalDetail,
}

/// An object in the protocol, a mere string from some servers that speak it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RefusalDetail {
    Object { message: String },
    Text(String),
}

pub(super) fn completion(body: &[u8]) -> Result<Completion, Unread> {
    let ChatAnswer { choices, usage } = read(body)?;
    Ok(Completion {
        text: choices.into_iter().next().map(|choice| choice.message.content).unwrap_or_default(),
        prompt_tokens: usage.prompt_tokens,
        generated_tokens: usage.completion_tokens,
    })
}

pub(super) fn embeddings(body: &[u8]) -> Result<Embeddings, Unread> {
    let EmbedAnswer { data, usage } = read(body)?;
    Ok(Embeddings {
        embeddings: data.into_iter().map(|item| item.embedding).collect(),
        prompt_tokens: usage.prompt_tokens,
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unread> {
    serde_json::from_slice(body).map_err(|malformed| match serde_json::from_slice(body) {
        Ok(Refusal { error: RefusalDetail::Object { message } | RefusalDetail::Text(message) }) => {
            Unread::Refused(message)
        }
        Err(_) => Unread::Malformed(malformed),
    })
}

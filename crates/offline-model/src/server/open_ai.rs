//! `OpenAI`'s chat protocol, `api_type = "open_ai"`: `POST /v1/chat/completions` and `GET /v1/models`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::NAME;

#[derive(Deserialize)]
struct Request {
    messages: Vec<Message>,
    max_completion_tokens: Option<u32>,
    /// The older name of `max_completion_tokens`.
    max_tokens: Option<u32>,
    stream: Option<bool>,
    n: Option<u32>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: String,
}

pub(super) async fn chat_completions(body: Result<Bytes, BytesRejection>) -> Response {
    completion(body).await.unwrap_or_else(|(status, message)| error(status, &message))
}

async fn completion(body: Result<Bytes, BytesRejection>) -> Result<Response, (StatusCode, String)> {
    let Request { messages, max_completion_tokens, max_tokens, stream, n } = super::parsed(body)?;
    let refuse = |reason: &str| Err((StatusCode::BAD_REQUEST, reason.to_owned()));
    if stream == Some(true) {
        return refuse("the offline model does not stream: leave \"stream\" out or set it to false");
    }
    if n.is_some_and(|n| n != 1) {
        return refuse("the offline model has one answer to a prompt: leave \"n\" out or set it to 1");
    }
    if messages.is_empty() {
        return refuse("\"messages\" is empty: send at least one message");
    }
    let max_tokens = max_completion_tokens.or(max_tokens).unwrap_or(u32::MAX);
    let (completion, explanation) = super::answer(prompt_of(messages), max_tokens).await?;
    Ok(Json(json!({
        "id": "chatcmpl-offline-model",
        "object": "chat.completion",
        "created": 0,
        "model": NAME,
        "system_fingerprint": concat!("offline-model-", env!("CARGO_PKG_VERSION"), "-vader"),
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": completion.text, "refusal": null },
            "logprobs": null,
            "finish_reason": if completion.is_cut_off { "length" } else { "stop" },
        }],
        "usage": {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.generated_tokens,
            "total_tokens": completion.prompt_tokens.saturating_add(completion.generated_tokens),
        },
        "explanation": explanation.to_string(),
    }))
    .into_response())
}

/// One prompt of a conversation: its messages, one after the other. Where the assistant has turns, they are the labels
/// of examples, and the user's turns are the texts.
fn prompt_of(messages: Vec<Message>) -> String {
    let has_turns = messages.iter().any(|message| message.role == "assistant");
    let paragraphs: Vec<_> = messages
        .into_iter()
        .map(|Message { role, content }| {
            let text = match content {
                Content::Text(text) => text,
                Content::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
            };
            if has_turns && role == "user" { format!("User: {text}") } else { text }
        })
        .collect();
    paragraphs.join("\n\n")
}

pub(super) async fn models() -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{ "id": NAME, "object": "model", "created": 0, "owned_by": NAME, "description": crate::DESCRIPTION }],
    }))
}

/// An answer with the protocol's own error object.
pub(super) fn error(status: StatusCode, message: &str) -> Response {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    let body = json!({ "error": { "message": message, "type": kind, "param": null, "code": null } });
    (status, Json(body)).into_response()
}

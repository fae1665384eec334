//! Spin's own protocol, `api_type = "default"`: `POST /infer`. It defines no errors; they are problem details here.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use crate::NAME;

#[derive(Deserialize)]
struct Request {
    prompt: String,
    #[serde(default)]
    options: Options,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    max_tokens: u32,
}

impl Default for Options {
    fn default() -> Self {
        // Spin's default.
        Self { max_tokens: 100 }
    }
}

pub(super) async fn infer(body: Result<Bytes, BytesRejection>) -> Response {
    completion(body).await.unwrap_or_else(|(status, detail)| problem(status, &detail))
}

async fn completion(body: Result<Bytes, BytesRejection>) -> Result<Response, (StatusCode, String)> {
    let Request { prompt, options } = super::parsed(body)?;
    let (completion, explanation) = super::answer(prompt, options.max_tokens).await?;
    Ok(Json(json!({
        "text": completion.text,
        "usage": {
            "promptTokenCount": completion.prompt_tokens,
            "generatedTokenCount": completion.generated_tokens,
        },
        "model": NAME,
        "explanation": explanation.to_string(),
    }))
    .into_response())
}

/// An answer with problem details (RFC 9457).
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    let content_type = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response()
}

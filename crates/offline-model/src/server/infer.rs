//! Spin's own protocol, `api_type = "default"`: `POST /infer`. It defines no errors; they are problem details here.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use problem::Problem;
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
    completion(body).await.unwrap_or_else(|(status, detail)| problem(status, detail))
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

/// A failure as problem details (RFC 9457).
pub(super) fn problem(status: StatusCode, detail: String) -> Response {
    Problem::new(status, detail).into_response().into_response()
}

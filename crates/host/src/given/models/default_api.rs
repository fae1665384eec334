//! Spin's own protocol, `api_type = "default"`. Its requests have no content type, as Spin's have none.

use serde::{Deserialize, Serialize};

use super::{Completion, Embeddings, Inference, Unread};

pub(super) const INFER: &str = "/infer";
pub(super) const EMBED: &str = "/embed";

#[derive(Serialize)]
pub(super) struct InferRequest<'a> {
    model: &'a str,
    prompt: &'a str,
    options: Options,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    max_tokens: u32,
    repeat_penalty: f32,
    repeat_penalty_last_n_token_count: u32,
    temperature: f32,
    top_k: u32,
    top_p: f32,
}

impl<'a> InferRequest<'a> {
    pub(super) fn new(inference: &'a Inference) -> Self {
        let Inference {
            model,
            prompt,
            max_tokens,
            repeat_penalty,
            repeat_penalty_last_n_token_count,
            temperature,
            top_k,
            top_p,
        } = inference;
        let options = Options {
            max_tokens: *max_tokens,
            repeat_penalty: *repeat_penalty,
            repeat_penalty_last_n_token_count: *repeat_penalty_last_n_token_count,
            temperature: *temperature,
            top_k: *top_k,
            top_p: *top_p,
        };
        Self { model, prompt, options }
    }
}

#[derive(Deserialize)]
struct InferAnswer {
    text: String,
    usage: InferUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferUsage {
    prompt_token_count: u32,
    generated_token_count: u32,
}

#[derive(Deserialize)]
struct EmbedAnswer {
    embeddings: Vec<Vec<f32>>,
    usage: EmbedUsage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmbedUsage {
    prompt_token_count: u32,
}

pub(super) fn completion(body: &[u8]) -> Result<Completion, Unread> {
    let InferAnswer { text, usage } = serde_json::from_slice(body).map_err(Unread::Malformed)?;
    Ok(Completion {
        text,
        prompt_tokens: usage.prompt_token_count,
        generated_tokens: usage.generated_token_count,
    })
}

pub(super) fn embeddings(body: &[u8]) -> Result<Embeddings, Unread> {
    let EmbedAnswer { embeddings, usage } = serde_json::from_slice(body).map_err(Unread::Malformed)?;
    Ok(Embeddings { embeddings, prompt_tokens: usage.prompt_token_count })
}

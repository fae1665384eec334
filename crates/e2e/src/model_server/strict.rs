//! What a strict server does not take.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::request::{ModelRequest, Protocol};

/// The names under which servers know a penalty.
pub const PENALTIES: [&str; 4] =
    ["frequency_penalty", "presence_penalty", "repeat_penalty", "repetition_penalty"];

/// What the server takes in `OpenAI`'s protocol. Spin's own is taken as it comes.
#[derive(Debug, Default)]
pub(super) struct Strictness {
    /// Instead of `/v1`.
    pub(super) base_path: Option<String>,
    /// Without the question mark.
    pub(super) query: Option<String>,
    pub(super) token: Option<String>,
    pub(super) model: Option<String>,
    pub(super) refused: Vec<String>,
}

/// A status, and the body of an error.
pub(super) type Refusal = (StatusCode, Value);

impl Strictness {
    /// What a method, path and query ask for, or that there is nothing.
    pub(super) fn resource(
        &self,
        method: &str,
        path: &str,
        query: Option<&str>,
    ) -> Result<Resource, Refusal> {
        let nothing = || (StatusCode::NOT_FOUND, json!({ "detail": "Not Found" }));
        if (method, path) == ("POST", "/infer") {
            return Ok(Resource::Completion(Protocol::Infer));
        }
        let rest = path.strip_prefix(self.base_path.as_deref().unwrap_or("/v1")).ok_or_else(nothing)?;
        if self.query.is_some() && self.query.as_deref() != query {
            return Err(nothing());
        }
        match (method, rest) {
            ("POST", "/chat/completions") => Ok(Resource::Completion(Protocol::OpenAi)),
            ("GET", "/models") => Ok(Resource::Models),
            _ => Err(nothing()),
        }
    }

    /// Why a request is not answered, if it is not.
    pub(super) fn refusal(&self, request: &ModelRequest) -> Option<Refusal> {
        if request.protocol == Protocol::Infer {
            return None;
        }
        if let Some(token) = &self.token
            && request.authorization.as_ref() != Some(&format!("Bearer {token}"))
        {
            // Some servers repeat what they got.
            let got = request.authorization.as_deref().unwrap_or_default();
            let message = format!("Incorrect API key provided: {}", got.trim_start_matches("Bearer "));
            return Some(error(StatusCode::UNAUTHORIZED, &message, None, "invalid_api_key"));
        }
        if self.model.as_ref().is_some_and(|model| *model != request.model) {
            let message = format!("The model `{}` does not exist", request.model);
            return Some(error(StatusCode::NOT_FOUND, &message, Some("model"), "model_not_found"));
        }
        let name = self.refused.iter().find(|name| request.options.get(*name).is_some())?;
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
        Some(error(StatusCode::BAD_REQUEST, &message, Some(name), "unsupported_parameter"))
    }

    /// The list of models.
    pub(super) fn models(&self) -> Value {
        let model = self.model.as_deref().unwrap_or("llama2-chat");
        json!({ "object": "list", "data": [{ "id": model, "object": "model" }] })
    }
}

/// What a request asks for.
pub(super) enum Resource {
    Completion(Protocol),
    Models,
}

fn error(status: StatusCode, message: &str, parameter: Option<&str>, code: &str) -> Refusal {
    let error =
        json!({ "message": message, "type": "invalid_request_error", "param": parameter, "code": code });
    (status, json!({ "error": error }))
}

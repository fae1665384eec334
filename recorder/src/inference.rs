//! Asking the component that has the model.

use std::pin::pin;

use api::{
    Recording,
    body::{self, Unread},
    inference::{
        Completion, FailureKind, InferenceFailure, InferenceOptions, InferenceRequest, URL, read_response,
        server_problem,
    },
};
use futures::future::{Either, select};
use problem::Problem;
use spin_sdk::{
    http::{self, Request, StatusCode},
    time::sleep,
};

/// The longest response, in bytes: some tokens, or a problem.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Lets the model complete a rendered prompt, within the configured time.
pub(crate) async fn infer(settings: &Recording, prompt: &str) -> Result<Completion, InferenceFailure> {
    match select(pin!(send(settings, prompt)), pin!(sleep(settings.model_timeout))).await {
        Either::Left((completion, _)) => completion,
        Either::Right(((), _)) => Err(InferenceFailure::TimedOut),
    }
}

async fn send(settings: &Recording, prompt: &str) -> Result<Completion, InferenceFailure> {
    let options = InferenceOptions {
        max_tokens: Some(settings.max_tokens),
        temperature: Some(settings.temperature),
        timeout_ms: u64::try_from(settings.model_timeout.as_millis()).ok(),
        ..InferenceOptions::default()
    };
    let request = InferenceRequest { model: settings.model.as_str().into(), prompt: prompt.into(), options };
    let body = serde_json::to_string(&request).map_err(InferenceFailure::failed)?;
    let request = Request::<()>::post(URL)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(body)
        .map_err(InferenceFailure::failed)?;
    let response = http::send(request).await.map_err(InferenceFailure::failed)?;
    let (head, mut body) = response.into_parts();
    let body = body::read(&mut body, MAX_RESPONSE_BYTES).await.map_err(|error| match error {
        Unread::TooLong => InferenceFailure::failed("the response is too long"),
        Unread::CutOff(error) => InferenceFailure::failed(error),
    })?;
    read_response(head.status, &head.headers, &body)
}

/// What a client may know of a failure.
pub(crate) fn problem(failure: &InferenceFailure, settings: &Recording) -> Problem {
    const CONSEQUENCE: &str = "The sentence was not classified, and nothing was recorded.";
    let Recording { model, model_timeout, .. } = settings;
    match failure {
        InferenceFailure::TimedOut => server_problem(
            FailureKind::TimedOut,
            format!(
                "The model `{model}` did not answer within {} ms. {CONSEQUENCE} Try again, or raise the variable \
                 `model_timeout`.",
                model_timeout.as_millis()
            ),
            None,
        ),
        InferenceFailure::NotGranted(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            format!(
                "The app may not use the model `{model}`. {CONSEQUENCE} Add the model to the `ai_models` of the component \
                 `inference` in spin.toml."
            ),
        ),
        InferenceFailure::Server { kind, retry_after, .. } => {
            server_problem(*kind, format!("{} {CONSEQUENCE}", kind.for_visitor()), *retry_after)
        }
        InferenceFailure::Failed(_) => Problem::new(
            StatusCode::BAD_GATEWAY,
            format!(
                "The model `{model}` gave no answer. {CONSEQUENCE} Try again; the app's log has the reason."
            ),
        ),
    }
}

//! One prompt in, one completion out: the only component that may use a model.
//!
//! It asks a model server that speaks OpenAI's chat protocol, over outbound HTTP, where the variable `model_server` names one, and
//! otherwise Spin's model interface. That interface is synchronous: an instance that infers through it can do nothing else, while
//! one that waits for HTTP can. So the app's other components ask this one, and each has no more rights than it needs: this one
//! has the model, its token, and no stores. It knows nothing about what the prompts are for, and any app can use it as it is.
//! In `spin.toml`:
//!
//! ```toml
//! [[trigger.http]]
//! route = { private = true }
//! component = "inference"
//!
//! [component.inference]
//! source = "inference.wasm"
//! ai_models = ["llama2-chat"]
//! allowed_outbound_hosts = ["{{ model_server }}"]
//! [component.inference.variables]
//! model_server = "{{ model_server }}"
//! model_path = "{{ model_path }}"
//! model_token = "{{ model_token }}"
//! ```
//!
//! and `allowed_outbound_hosts = ["http://inference.spin.internal"]` for the component that asks. The protocol is the one in
//! which Spin itself asks a remote model server; [`api::inference`] describes it. Failures are problems (RFC 9457): 400 for a
//! request that is not valid, 403 for a model that `ai_models` does not list, 413 for a request of more than 1 MiB, 502 with
//! the host's message where the model failed, and those of [`chat::FailureKind`], each with a type of its own.
#![cfg(target_family = "wasm")]

mod model_server;

use std::cell::OnceCell;

use api::{
    inference::{Completion, InferenceFailure, InferenceOptions, InferenceRequest, PATH, TokenUsage},
    response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use problem::Problem;
use spin_sdk::{
    http::{Method, Request, Response, StatusCode},
    http_service,
    llm::{self, Error, InferencingModel, InferencingParams},
};

use self::model_server::ModelServer;

/// The longest request, in bytes. A prompt is text that fits a model's context.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

#[http_service]
async fn handle(request: Request) -> Response<String> {
    route(request)
        .await
        .and_then(|completion| response::json(&completion))
        .unwrap_or_else(Problem::into_response)
}

async fn route(request: Request) -> Result<Completion, Problem> {
    match (request.uri().path(), request.method()) {
        (PATH, &Method::POST) => answer_request(request).await,
        (PATH, method) => Err(Problem::method_not_allowed(method, "POST")),
        (path, _) => {
            let detail = format!("There is nothing at `{path}`; send a POST to {PATH}.");
            Err(Problem::new(StatusCode::NOT_FOUND, detail))
        }
    }
}

async fn answer_request(request: Request) -> Result<Completion, Problem> {
    let body = Limited::new(request.into_body(), MAX_REQUEST_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let detail = format!("The request is longer than {MAX_REQUEST_BYTES} bytes. Shorten the prompt.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            Problem::bad_request(format!("The request's body was cut off: {error}."))
        }
    })?;
    let body = body.to_bytes();
    let request = InferenceRequest::read(&body)?;
    match model_server().await? {
        Some(server) => server.complete(&request).await.map_err(|failure| {
            let (kind, retry_after) = (failure.kind(), failure.retry_after());
            InferenceFailure::Server { kind, reason: failure.to_string(), retry_after }.problem()
        }),
        None => infer(request),
    }
}

/// The model server of this instance's variables, read once. A mistake in a variable is not kept: the next request looks again.
async fn model_server() -> Result<Option<&'static ModelServer>, Problem> {
    thread_local! {
        static SERVER: OnceCell<Option<&'static ModelServer>> = const { OnceCell::new() };
    }
    if let Some(server) = SERVER.with(|known| known.get().copied()) {
        return Ok(server);
    }
    let server = ModelServer::of_variables().await.map_err(|error| Problem::internal(error.to_string()))?;
    let server = server.map(|server| &*Box::leak(Box::new(server)));
    Ok(SERVER.with(|known| *known.get_or_init(|| server)))
}

/// Asks through Spin's model interface.
fn infer(InferenceRequest { model, prompt, options }: InferenceRequest) -> Result<Completion, Problem> {
    let completed = llm::infer_with_options(InferencingModel::Other(&model), &prompt, params(&options));
    let usage = |usage: llm::InferencingUsage| TokenUsage {
        prompt_token_count: usage.prompt_token_count,
        generated_token_count: usage.generated_token_count,
    };
    match completed {
        Ok(completed) => Ok(Completion { text: completed.text, usage: usage(completed.usage) }),
        Err(Error::InvalidInput(message)) if message.contains("does not have access") => {
            Err(InferenceFailure::NotGranted(message).problem())
        }
        Err(Error::InvalidInput(message)) => Err(Problem::bad_request(message)),
        Err(Error::RuntimeError(message)) => Err(InferenceFailure::Failed(message).problem()),
        Err(Error::ModelNotSupported) => {
            let reason = format!("The host has no model named `{model}`.");
            Err(InferenceFailure::Failed(reason).problem())
        }
    }
}

/// The Spin SDK's parameters, in which the options that are set replace the defaults.
fn params(options: &InferenceOptions) -> InferencingParams {
    let default = InferencingParams::default();
    InferencingParams {
        max_tokens: options.max_tokens.unwrap_or(default.max_tokens),
        repeat_penalty: options.repeat_penalty.unwrap_or(default.repeat_penalty),
        repeat_penalty_last_n_token_count: options
            .repeat_penalty_last_n_token_count
            .unwrap_or(default.repeat_penalty_last_n_token_count),
        temperature: options.temperature.unwrap_or(default.temperature),
        top_k: options.top_k.unwrap_or(default.top_k),
        top_p: options.top_p.unwrap_or(default.top_p),
    }
}

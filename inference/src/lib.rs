//! One prompt in, one completion out: the only component that may use a model.
//!
//! The model interface is synchronous: an instance that infers can do nothing else, while one that waits for HTTP can. So
//! the app's other components ask this one, and each has no more rights than it needs: this one has models and no stores.
//! It knows nothing of what the prompts are about, and any app can use it as it is. In `spin.toml`:
//!
//! ```toml
//! [[trigger.http]]
//! route = { private = true }
//! component = "inference"
//!
//! [component.inference]
//! source = "inference.wasm"
//! ai_models = ["llama2-chat"]
//! ```
//!
//! and `allowed_outbound_hosts = ["http://inference.spin.internal"]` for the component that asks. The protocol is the one in
//! which Spin itself asks a remote model server: `POST /infer`. Failures are problems (RFC 9457): 400 for a request that is not
//! the protocol's, 403 for a model that `ai_models` does not list, 413 for a request of more than 1 MiB, 502 with the host's
//! message where the model failed.
//!
//! - `protocol`: the request, its answer, and what the host says when it has none.

mod protocol;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use problem::Problem;
use spin_sdk::{
    http::{Method, Request, Response, StatusCode},
    http_service,
    llm::{self, InferencingModel, InferencingResult},
};

use self::protocol::{InferRequest, InferResponse, model_problem};

/// The longest request, in bytes. A prompt is text that fits a model's context.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

#[http_service]
async fn handle(request: Request) -> Response<String> {
    match route(request).await {
        Ok(completion) => json(completion),
        Err(problem) => problem.into_response(),
    }
}

async fn route(request: Request) -> Result<String, Problem> {
    match (request.uri().path(), request.method()) {
        ("/infer", &Method::POST) => infer(request).await,
        ("/infer", method) => Err(Problem::method_not_allowed(method, "POST")),
        (path, _) => {
            let detail = format!("There is nothing at `{path}`; send a POST to /infer.");
            Err(Problem::new(StatusCode::NOT_FOUND, detail))
        }
    }
}

async fn infer(request: Request) -> Result<String, Problem> {
    let body = Limited::new(request.into_body(), MAX_REQUEST_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let detail = format!("The request is longer than {MAX_REQUEST_BYTES} bytes. Shorten the prompt.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            Problem::bad_request(format!("The request's body was cut off: {error}."))
        }
    })?;
    let request = InferRequest::parse(&body.to_bytes())?;
    let model = InferencingModel::Other(&request.model);
    let result = llm::infer_with_options(model, &request.prompt, request.options.into());
    let InferencingResult { text, usage } = result.map_err(|error| model_problem(&request.model, error))?;
    InferResponse::new(&text, usage.prompt_token_count, usage.generated_token_count).to_json()
}

/// A response with a known length, so that it needs no chunks.
fn json(body: String) -> Response<String> {
    let length = body.len().into();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert("content-type", spin_sdk::http::HeaderValue::from_static("application/json"));
    headers.insert("content-length", length);
    response
}

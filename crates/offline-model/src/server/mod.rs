//! The model over HTTP, in both protocols that Spin's `remote_http` speaks.
//!
//! | Request | Answer |
//! |---|---|
//! | `POST /infer` | a completion in Spin's protocol ([`infer`]) |
//! | `POST /v1/chat/completions` | a completion in `OpenAI`'s protocol ([`open_ai`]) |
//! | `GET /v1/models` | the one model there is |
//! | `GET /` | what this server is |
//!
//! Any token is accepted, and any model name: every answer names the model that really answered. The same request
//! gets the same answer, byte for byte, its date aside.

mod infer;
mod open_ai;

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::completion::{Completion, complete_and_explain};
use crate::rule::Explanation;
use crate::{DESCRIPTION, NAME};

/// The longest request body that is read, in bytes; a longer one is answered with 413.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// How long requests in flight may take after the shutdown signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

const SERVER_HEADER: &str =
    concat!("offline-model/", env!("CARGO_PKG_VERSION"), " (deterministic; VADER; not a language model)");

/// Serves the model on `listener` until `shutdown` completes; then requests in flight get five seconds to finish.
///
/// # Errors
/// Returns the error of the listener, should it fail for good.
pub async fn serve(
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // An answer leaves at once, rather than waiting for the client to confirm what came before.
    let listener = listener.tap_io(|connection| {
        // A connection that refuses the option still works, more slowly.
        let _ = connection.set_nodelay(true);
    });
    let (stopping, mut stopped) = watch::channel(());
    let serving = axum::serve(listener, router()).with_graceful_shutdown(async move {
        shutdown.await;
        drop(stopping);
    });
    let out_of_patience = async move {
        // The channel closes when the signal has come; nothing is ever sent.
        while stopped.changed().await.is_ok() {}
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        result = serving => result,
        () = out_of_patience => Ok(()),
    }
}

/// The routes of [`serve`], for a server that is made elsewhere.
pub fn router() -> Router {
    Router::new()
        .route("/", get(index))
        .route("/infer", post(infer::infer))
        .route("/v1/chat/completions", post(open_ai::chat_completions))
        .route("/v1/models", get(open_ai::models))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::map_response(with_server_header))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Whether the body of an answer to `GET /` is that of an offline model, of any version.
pub fn identifies_itself(body: &str) -> bool {
    serde_json::from_str::<Value>(body).is_ok_and(|body| body.get("name").is_some_and(|name| name == NAME))
}

async fn index() -> Json<Value> {
    Json(json!({
        "name": NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "description": DESCRIPTION,
        "endpoints": ["POST /infer", "POST /v1/chat/completions", "GET /v1/models"],
    }))
}

async fn with_server_header(mut response: Response) -> Response {
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static(SERVER_HEADER));
    response
}

async fn unknown_path(uri: Uri) -> Response {
    let path = uri.path();
    let detail = format!(
        "there is nothing at {path}; use POST /infer or POST /v1/chat/completions, or see GET / for what this is"
    );
    failure(path, StatusCode::NOT_FOUND, detail)
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    let detail = format!("{method} is not allowed at {path}; the header `allow` lists what is");
    failure(path, StatusCode::METHOD_NOT_ALLOWED, detail)
}

fn failure(path: &str, status: StatusCode, detail: String) -> Response {
    if path.starts_with("/v1/") { open_ai::error(status, &detail) } else { infer::problem(status, detail) }
}

/// A request's body as JSON, or the status and the reason to refuse it. The content type does not matter: Spin sends
/// none.
fn parsed<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, (StatusCode, String)> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {BODY_LIMIT} bytes"))
        }
        status => (status, format!("the body could not be read: {}", rejection.body_text())),
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        (StatusCode::BAD_REQUEST, format!("the body is not a request in this protocol: {error}"))
    })
}

/// Completes a prompt on a thread of its own: a long prompt takes a while and must not hold up other requests.
async fn answer(prompt: String, max_tokens: u32) -> Result<(Completion, Explanation), (StatusCode, String)> {
    tokio::task::spawn_blocking(move || complete_and_explain(&prompt, max_tokens))
        .await
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("the inference ended early: {error}")))
}

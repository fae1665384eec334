//! The routes, one file for each.

mod annotations;
mod feedback;
mod sentiment;
mod variants;

use api::response;
use problem::Problem;
use spin_sdk::http::{Method, Request, Response, StatusCode};

/// The methods of each route, as an `Allow` header lists them.
const SENTIMENT_METHODS: &str = "POST, OPTIONS";
const FEEDBACK_METHODS: &str = "POST, OPTIONS";
const ANNOTATIONS_METHODS: &str = "POST, DELETE, OPTIONS";
const ANNOTATIONS_READ_METHODS: &str = "GET, HEAD, OPTIONS";
const VARIANTS_METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request, or says why not.
pub(crate) async fn route(request: Request) -> Result<Response<String>, Problem> {
    // For HEAD the server leaves the body out.
    match (request.uri().path(), request.method()) {
        ("/api/sentiment-analysis", &Method::POST) => Ok(sentiment::post(request).await),
        ("/api/sentiment-analysis", method) => other_method(method, SENTIMENT_METHODS),
        ("/api/feedback", &Method::POST) => Ok(feedback::post(request).await),
        ("/api/feedback", method) => other_method(method, FEEDBACK_METHODS),
        ("/api/annotations", &Method::POST) => Ok(annotations::post(request).await),
        ("/api/annotations", &Method::DELETE) => Ok(annotations::delete(request).await),
        ("/api/annotations", method) => other_method(method, ANNOTATIONS_METHODS),
        ("/api/annotations/next", &Method::GET | &Method::HEAD) => annotations::next(&request).await,
        ("/api/annotations/disputed", &Method::GET | &Method::HEAD) => annotations::disputed(&request).await,
        ("/api/annotations/next" | "/api/annotations/disputed", method) => {
            other_method(method, ANNOTATIONS_READ_METHODS)
        }
        ("/api/variants", &Method::GET | &Method::HEAD) => variants::get().await,
        ("/api/variants", method) => other_method(method, VARIANTS_METHODS),
        (path, _) => Err(nothing_at(path)),
    }
}

/// OPTIONS says which methods there are, without the headers that would let pages of other sites use them.
fn other_method(method: &Method, allowed: &'static str) -> Result<Response<String>, Problem> {
    if method == Method::OPTIONS {
        Ok(response::options(allowed))
    } else {
        Err(Problem::method_not_allowed(method, allowed))
    }
}

/// No route has this path.
fn nothing_at(path: &str) -> Problem {
    let detail = format!(
        "There is nothing at `{path}`; send a POST to /api/sentiment-analysis or /api/feedback, or a GET to /api/variants, \
         /api/results or /api/annotations/next."
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

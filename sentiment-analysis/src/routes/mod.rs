//! The routes, one file for each.

mod sentiment;
mod variants;

use api::response;
use problem::Problem;
use spin_sdk::http::{Method, Request, Response, StatusCode};

/// The methods of each route, as an `Allow` header lists them.
const SENTIMENT_METHODS: &str = "POST, OPTIONS";
const VARIANTS_METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request, or says why not.
pub(crate) async fn route(request: Request) -> Result<Response<String>, Problem> {
    // For HEAD the server leaves the body out.
    match (request.uri().path(), request.method()) {
        ("/api/sentiment-analysis", &Method::POST) => Ok(sentiment::post(request).await),
        ("/api/sentiment-analysis", method) => response::other_method(method, SENTIMENT_METHODS),
        ("/api/variants", &Method::GET | &Method::HEAD) => variants::get(&request).await,
        ("/api/variants", method) => response::other_method(method, VARIANTS_METHODS),
        (path, _) => Err(nothing_at(path)),
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

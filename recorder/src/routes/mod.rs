//! The routes, one file for each.

mod feedback;
mod new;

use api::{recording, response};
use problem::Problem;
use spin_sdk::http::{Method, Request, Response, StatusCode};

/// Answers a request, or says why not. The manifest routes `/api/feedback` here and nothing else: every other path is another component's.
pub(crate) async fn route(request: Request) -> Result<Response<String>, Problem> {
    match (request.uri().path(), request.method()) {
        ("/api/feedback", &Method::POST) => Ok(feedback::post(request).await),
        ("/api/feedback", method) => response::other_method(method, "POST, OPTIONS"),
        (recording::PATH, &Method::POST) => new::post(request).await,
        (recording::PATH, method) => response::other_method(method, "POST, OPTIONS"),
        (path, _) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("There is nothing at `{path}`; send a POST to /api/feedback."),
        )),
    }
}

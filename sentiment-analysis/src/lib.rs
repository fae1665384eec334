//! The sentiment-analysis API: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/sentiment-analysis` `{"sentence"}` | `{"sentiment", "variant", "cached"}` |
//! | `POST /api/feedback` `{"sentence", "variant", "expected"}` | `{"variant", "sentiment", "expected"}`: what a person says would have been right |
//! | `GET /api/variants` | the experiment: how variants are assigned, the model, each variant's weight and prompt |
//!
//! (`GET /api/results` is a component of its own.) Everything else is a problem (RFC 9457) whose detail says what to do. In reading order:
//!
//! - `routes`: one file for each route.
//! - `body`, `json`, `submission` and `correction`: from a request's body to a sentence, or to what a person says of an answer.
//! - `origin`: whether a page of another site sent the request.
//! - `instance`: what outlives a request, and `config`: the component's variables.
//! - `inference`: asking the component that has the model.
//! - `log`: what goes to the terminal. Answers and problems are those of the crate `api`.
//!
//! A trap would take the instance's other requests along, so nothing here panics.

mod body;
mod config;
mod correction;
mod inference;
mod instance;
mod json;
mod log;
mod origin;
mod routes;
mod submission;

use spin_sdk::{
    http::{Request, Response},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> Response<String> {
    routes::route(request).await.unwrap_or_else(problem::Problem::into_response)
}

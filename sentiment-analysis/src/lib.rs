//! The sentiment-analysis API: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/sentiment-analysis` `{"sentence"}` | `{"sentiment", "variant", "cached"}` |
//! | `GET /api/variants` | the experiment: how variants are assigned, the model, each variant's weight and prompt |
//!
//! Everything else is a problem (RFC 9457) whose detail says what to do. In reading order:
//!
//! - `routes`: one file for each route.
//! - `body` and `submission`: from a request's body to a sentence.
//! - `origin`: whether a page of another site sent the request.
//! - `instance`: what outlives a request, and `config`: the component's variables.
//! - `inference`: asking the component that has the model.
//! - `answer`: answers and problems, and `log`: what goes to the terminal.
//!
//! A trap would take the instance's other requests along, so nothing here panics.

mod answer;
mod body;
mod config;
mod inference;
mod instance;
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
    routes::route(request).await.unwrap_or_else(answer::Problem::into_response)
}

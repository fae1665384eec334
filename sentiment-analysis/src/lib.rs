//! The sentiment-analysis API: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/sentiment-analysis` `{"sentence"}` | `{"sentiment", "variant", "cached"}` |
//! | `POST /api/feedback` `{"sentence", "variant", "expected"}` | `{"variant", "sentiment", "expected"}`: a visitor's vote |
//! | `GET /api/variants` | the experiment: how variants are assigned, the model, each variant's weight and prompt |
//!
//! (`GET /api/results` and `/api/annotations` are components of their own.) Everything else is a problem (RFC 9457) whose detail says what to do. In reading
//! order:
//!
//! - `routes`: one file for each route.
//! - `submission` and `correction`: from a request to a sentence, or to what a person says about an answer.
//! - `fresh` and `refusal`: how many new sentences there may be.
//! - `shadow`: what the other variants say to a new sentence, after the answer has left.
//! - `instance`: what outlives a request.
//! - `answering`: what a variant's store holds of a sentence, and what the model says to it.
//! - `inference`: asking the component that has the model.
//! - `log`: what goes to standard output. The crate `api` has what the components share.
//!
//! A trap would take the instance's other requests along, so nothing here panics.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "what uses it needs Spin; natively it is compiled for its tests")
)]

mod correction;
mod log;
mod refusal;
mod submission;

#[cfg(target_family = "wasm")]
mod answering;
#[cfg(target_family = "wasm")]
mod fresh;
#[cfg(target_family = "wasm")]
mod inference;
#[cfg(target_family = "wasm")]
mod instance;
#[cfg(target_family = "wasm")]
mod routes;
#[cfg(target_family = "wasm")]
mod shadow;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<String> {
    routes::route(request).await.unwrap_or_else(problem::Problem::into_response)
}

//! What is written to the stores: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/feedback` `{"sentence", "variant", "expected"}` | `{"variant", "sentiment", "expected"}`: a visitor's vote |
//! | `POST /new` from another component: see [`api::recording`] | what the model says to a sentence, or a problem for the client |
//!
//! Everything else is a problem (RFC 9457) whose detail says what to do. It is a component of its own, so that the API has neither this code nor
//! this work: what goes on after an answer has left, counting and shadow answers, takes none of the API's instances.
//! In reading order:
//!
//! - `routes`: one file for each route.
//! - `correction`: from a request to what a person says about an answer.
//! - `fresh` and `refusal`: how many new sentences there may be.
//! - `answering`: what a variant's store holds of a sentence, and what the model says to it.
//! - `shadow`: what the other variants say to a new sentence, after the answer has left.
//! - `questions`: who waits where the model answers few questions at a time.
//! - `inference`: asking the component that has the model.
//! - `instance`: what outlives a request.
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

#[cfg(target_family = "wasm")]
mod answering;
#[cfg(target_family = "wasm")]
mod fresh;
#[cfg(target_family = "wasm")]
mod inference;
#[cfg(target_family = "wasm")]
mod instance;
#[cfg(target_family = "wasm")]
mod questions;
#[cfg(target_family = "wasm")]
mod routes;
#[cfg(target_family = "wasm")]
mod shadow;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<String> {
    routes::route(request).await.unwrap_or_else(problem::Problem::into_response)
}

//! The sentiment-analysis API: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/sentiment-analysis` `{"sentence"}` | `{"sentiment", "variant", "cached"}` |
//! | `GET /api/variants` | the experiment: how variants are assigned, the model, each variant's weight and prompt |
//!
//! (`/api/feedback`, `/api/results` and `/api/annotations` are other components'.) Everything else is a problem (RFC 9457) whose detail says
//! what to do. It answers from the stores and writes nothing to them: a sentence that is new goes to the component `recorder`. In reading order:
//!
//! - `routes`: one file for each route.
//! - `submission`: from a request to a sentence.
//! - `instance`: what outlives a request.
//! - `recorder`: asking the component that asks the model.
//! - `log`: what goes to standard output. The crate `api` has what the components share.
//!
//! A trap would take the instance's other requests along, so nothing here panics.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "what uses it needs Spin; natively it is compiled for its tests")
)]

mod log;
mod submission;

#[cfg(target_family = "wasm")]
mod instance;
#[cfg(target_family = "wasm")]
mod recorder;
#[cfg(target_family = "wasm")]
mod routes;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<String> {
    routes::route(request).await.unwrap_or_else(problem::Problem::into_response)
}

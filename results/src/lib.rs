//! Which prompt is better: a Spin component.
//!
//! `GET /api/results` reads every observation in the variants' stores and answers with an
//! [analysis](experiment::analysis::Report) and [what it says](experiment::presentation::Presentation). A request that accepts
//! `application/x-ndjson` gets lines of JSON: how far the reading has come, `{"progress": …}`, and last `{"report": …}`, or
//! `{"problem": …}` where it broke off.
//!
//! It is a component of its own because the interface that reads many values at once is synchronous: an instance that reads
//! a large store does little else, and on Spin up to 16 requests share one. Here these are requests for results alone.
//!
//! - `document`: what is answered, in one piece or as lines.
//! - `answer`: reading the stores.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "what uses it needs Spin; natively it is compiled for its tests")
)]

mod document;

#[cfg(target_family = "wasm")]
mod answer;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<spin_sdk::http::BoxBody> {
    answer::answer(request).await
}

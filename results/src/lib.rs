//! Which prompt is better: a Spin component.
//!
//! `GET /api/results` answers with an [analysis](experiment::analysis::Report) of tallies and annotations, and [what it
//! says](experiment::presentation::Presentation). It costs the same however many observations there are.
//!
//! It is a component of its own because the interface that reads many values at once is synchronous, and because it needs no more
//! than to read.
//!
//! - `document`: what is answered.
//! - `answer`: reading the stores.
#![cfg_attr(not(any(target_family = "wasm", test)), expect(dead_code, reason = "what uses it needs Spin"))]

mod document;

#[cfg(target_family = "wasm")]
mod answer;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<String> {
    answer::answer(request).await
}

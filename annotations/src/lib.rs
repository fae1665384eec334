//! Annotations by people who signed in: a Spin component.
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/annotations/next?n=10` | `{"queue": [{"sentence"}], "annotated", "disputed", "about_needed", "decided"}`: sentences to annotate |
//! | `GET /api/annotations/disputed` | `{"annotator", "disputes": [{"sentence", "given": [{"annotator", "expected"}]}], …}`: what people say different things of |
//! | `POST /api/annotations` `{"sentence", "expected"}`, `DELETE` `{"sentence"}` | the same without the queue: what they say would be right |
//!
//! All of it needs credentials, and nothing of it says which prompt answered what, or which is ahead. It is a component of its own, so
//! that the API, which strangers ask, has neither the credentials nor the code.
//!
//! - `annotating`: from a request to an annotation.
//! - `routes`: signing in, and reading and writing the journal.
#![cfg_attr(not(any(target_family = "wasm", test)), expect(dead_code, reason = "what uses it needs Spin"))]

mod annotating;

#[cfg(target_family = "wasm")]
mod routes;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> spin_sdk::http::Response<String> {
    routes::route(request).await
}

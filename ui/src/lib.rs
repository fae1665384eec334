//! Serves the browser UI: a Spin component.
//!
//! The files are mounted at `/` of the component's file system by `files = […]` in `spin.toml`, and read on every
//! request, so a page can be changed without a build. With other files mounted, this component serves another app.
//!
//! - [`site`]: which file a request means, and the answer.
//! - [`policy`]: the headers that every answer carries, the Content-Security-Policy among them.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "what uses it needs Spin; natively it is compiled for its tests")
)]

mod policy;
mod site;

/// Where `spin.toml` mounts the assets.
const ROOT: &str = "/";

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    let mut response = site::answer(std::path::Path::new(ROOT), &request);
    policy::apply(response.headers_mut());
    response.map(spin_sdk::http::FullBody::new)
}

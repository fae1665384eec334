//! Serves the browser UI: a Spin component.
//!
//! The files are mounted at `/` of the component's file system by `files = […]` in `spin.toml`, and read on every
//! request: changing a page needs no build. Whoever mounts other files can use this component for another app.
//!
//! - [`site`]: which file a request means, and the answer.
//! - [`policy`]: the headers that every answer carries, the Content-Security-Policy among them.

mod policy;
mod site;

use spin_sdk::http::{FullBody, IntoResponse, Request};
use std::path::Path;

/// Where `spin.toml` mounts the assets.
const ROOT: &str = "/";

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let mut response = site::answer(Path::new(ROOT), &request);
    policy::apply(response.headers_mut());
    response.map(FullBody::new)
}

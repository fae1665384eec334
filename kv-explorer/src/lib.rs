//! The key-value explorer, REST and page: one Spin component, usable in any Spin app.
//!
//! It shows the stores that its manifest entry grants it. Component variables: `kv_credentials` (`user:password`; without
//! it every call is refused), `kv_stores` (the labels to offer, separated by commas), `kv_read_only` (`true`). The
//! environment variable `SPIN_APP_KV_SKIP_AUTH=1` switches the check of credentials off.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "what uses it needs Spin; natively it is compiled for its tests")
)]

// From the outside in: what was asked, and who may ask.
mod query;
mod route;
mod settings;
#[cfg(target_family = "wasm")]
mod sign_in;
// The answers: the page's files and the REST API.
mod page;
#[cfg(target_family = "wasm")]
mod rest;
// What these are made of: entity tags, keys in an address, listings, JSON Lines.
mod etag;
mod json_lines;
mod listing;
mod safe_key;
// The edges: responses, and the host's stores.
mod respond;
#[cfg(target_family = "wasm")]
mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> respond::Response {
    // The host leaves the body out where the method is HEAD.
    answer(request).await.unwrap_or_else(respond::problem)
}

#[cfg(target_family = "wasm")]
async fn answer(request: spin_sdk::http::Request) -> Result<respond::Response, problem::Problem> {
    use route::Route;

    let path = route::path_in_component(request.headers(), request.uri());
    match route::parse(request.method(), path)? {
        Route::Directory => Ok(page::redirect_to_folder(request.uri())),
        Route::Asset(asset, keep) => Ok(page::serve(asset, keep, request.headers())),
        Route::Api(call) => {
            api::origin::check(request.uri(), request.headers())?;
            let settings = settings::Settings::read().await;
            sign_in::check(&settings, request.headers())?;
            rest::answer(call, &settings, request).await
        }
    }
}

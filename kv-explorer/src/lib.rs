//! The key-value explorer, REST and page: one Spin component, usable in any Spin app.
//!
//! It shows the stores that its manifest entry grants it. Component variables: `kv_credentials` (`user:password`; without
//! it every call is refused), `kv_stores` (the labels to offer, separated by commas), `kv_read_only` (`true`). The
//! environment variable `SPIN_APP_KV_SKIP_AUTH=1` switches the check of credentials off.

// From the outside in: what was asked, who may ask, what is answered.
mod origin;
mod query;
mod route;
mod settings;
mod sign_in;
// The answers: the page's files and the REST API.
mod api;
mod page;
// What the API is made of: keys in an address, listings, JSON Lines.
mod json_lines;
mod listing;
mod safe_key;
// The edges: answers on the wire, the host's stores.
mod batch;
mod respond;
mod store;

use problem::Problem;
use respond::Response;
use route::Route;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    // The host leaves the body out where the method is HEAD.
    answer(request).await.unwrap_or_else(respond::problem)
}

async fn answer(request: Request) -> Result<Response, Problem> {
    let path = route::path_in_component(request.headers(), request.uri());
    match route::parse(request.method(), path)? {
        Route::Directory => Ok(page::redirect_to_folder(request.uri())),
        Route::Asset(asset, keep) => Ok(page::serve(asset, keep, request.headers())),
        Route::Api(call) => {
            origin::check(request.headers())?;
            let settings = settings::Settings::read().await;
            sign_in::check(&settings, request.headers()).await?;
            api::answer(call, &settings, request).await
        }
    }
}

//! The REST API: one file for each kind of call.

mod body;
mod bulk;
mod list;
mod stores;
mod transfer;
mod value;

use crate::query::Query;
use crate::respond::Response;
use crate::route::{Call, StoreCall};
use crate::settings::Settings;
use crate::store::{Error, Store};
use problem::Problem;
use spin_sdk::http::{Request, StatusCode};

/// Answers a call of somebody who may call.
pub(crate) async fn answer(call: Call, settings: &Settings, request: Request) -> Result<Response, Problem> {
    let (label, call) = match call {
        Call::Stores => return Ok(stores::answer(settings).await),
        Call::Store(label, call) => (label, call),
    };
    if settings.read_only && call.changes() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "The explorer is read-only: the component variable `kv_read_only` is true.",
        ));
    }
    let query = Query::parse(request.uri().query().unwrap_or_default())?;
    let target = Target { store: open(&label).await?, label };
    match call {
        StoreCall::List => list::answer(&target, &query).await,
        StoreCall::Set => value::set(&target, request).await,
        StoreCall::Get(key) => value::get(&target, &key, request.headers()).await,
        StoreCall::Put(key) => value::put(&target, &key, request).await,
        StoreCall::Delete(key) => value::delete(&target, &key, request.headers()).await,
        StoreCall::Values => bulk::values(&target, request).await,
        StoreCall::DeleteMany => bulk::delete(&target, &query, request).await,
        StoreCall::Export => transfer::export(&target, &query).await,
        StoreCall::Import => transfer::import(&target, &query, request).await,
    }
}

/// The store that a call is about.
struct Target {
    label: String,
    store: Store,
}

impl Target {
    /// The store's failure as a problem that names its label.
    fn problem(&self, error: Error) -> Problem {
        error.problem(&self.label)
    }
}

async fn open(label: &str) -> Result<Store, Problem> {
    Store::open(label).await.map_err(|error| error.problem(label))
}

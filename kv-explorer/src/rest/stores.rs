//! `GET /api/stores`: what there is to explore.

use crate::respond::{self, Response};
use crate::settings::Settings;
use crate::store::Store;
use serde::Serialize;

#[derive(Serialize)]
struct Stores {
    stores: Vec<Entry>,
    read_only: bool,
}

#[derive(Serialize)]
struct Entry {
    label: String,
    /// Why the store cannot be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn answer(settings: &Settings) -> Response {
    let mut stores = Vec::with_capacity(settings.labels.len());
    for label in &settings.labels {
        let error = Store::open(label).await.err().map(|error| error.problem(label).detail().to_owned());
        stores.push(Entry { label: label.clone(), error });
    }
    respond::json(&Stores { stores, read_only: settings.read_only })
}

//! Many keys at once: their values, and their removal.

use super::{Target, body, list};
use crate::listing::{Filter, Keys};
use crate::query::Query;
use crate::respond::{self, Response};
use crate::store::{self, BATCH};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use problem::Problem;
use serde::{Deserialize, Serialize};
use spin_sdk::http::{Request, StatusCode};
use std::collections::HashSet;

/// The most keys whose values are asked for at once.
const MAX_KEYS: usize = 1000;
/// The most bytes of values in one answer.
const MAX_BYTES: usize = 8 << 20;
/// What a removal takes.
const REMOVAL: &str = "{\"keys\": [\"…\"]}, or {\"prefix\": \"…\"}, {\"contains\": \"…\"} or both of these";
/// How many keys a removal names in its answer.
const NAMED: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValuesRequest {
    keys: Vec<String>,
    /// Values are cut after this many bytes.
    max_bytes: Option<usize>,
}

#[derive(Serialize)]
struct Values<'a> {
    store: &'a str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    key: String,
    /// The whole value's size in bytes, or nothing where the key is absent.
    size: Option<usize>,
    value: Option<String>,
}

/// `POST /api/stores/:store/values`: the values of some keys, in the order asked for, absent ones included.
pub(super) async fn values(target: &Target, request: Request) -> Result<Response, Problem> {
    let wanted: ValuesRequest = body::json(request, "{\"keys\": [\"…\"], \"max_bytes\": 1024}").await?;
    if wanted.keys.len() > MAX_KEYS {
        return Err(Problem::bad_request(format!("Ask for at most {MAX_KEYS} keys at once.")));
    }
    let bucket = target.store.bucket().map_err(|error| target.problem(error))?;
    let cut = wanted.max_bytes.unwrap_or(usize::MAX);
    let mut entries = Vec::with_capacity(wanted.keys.len());
    let mut bytes = 0;
    for batch in wanted.keys.chunks(BATCH) {
        let values = store::values(&bucket, batch).map_err(|error| target.problem(error))?;
        for key in batch {
            let value = values.get(key);
            let shown = value.map(|value| &value[..value.len().min(cut)]);
            bytes += shown.map_or(0, <[u8]>::len);
            if bytes > MAX_BYTES {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!(
                        "These values together are larger than {MAX_BYTES} bytes: ask for fewer, or give `max_bytes`."
                    ),
                ));
            }
            let value_text = shown.map(|bytes| BASE64_STANDARD.encode(bytes));
            entries.push(Entry { key: key.clone(), size: value.map(Vec::len), value: value_text });
        }
    }
    Ok(respond::json(&Values { store: &target.label, entries }))
}

/// What to delete: named keys, or all that match.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovalRequest {
    keys: Option<HashSet<String>>,
    prefix: Option<String>,
    contains: Option<String>,
}

#[derive(Serialize)]
struct Removal<'a> {
    store: &'a str,
    dry_run: bool,
    /// Keys that were asked for and are there.
    matched: usize,
    deleted: usize,
    /// The first of them.
    keys: Vec<String>,
}

/// `POST /api/stores/:store/delete`: with `dry_run`, only says what it would delete.
pub(super) async fn delete(target: &Target, query: &Query, request: Request) -> Result<Response, Problem> {
    let dry_run = query.switch("dry_run")?;
    let removal: RemovalRequest = body::json(request, REMOVAL).await?;
    let keys = find(target, removal).await?;
    let mut deleted = 0;
    if !dry_run {
        let bucket = target.store.bucket().map_err(|error| target.problem(error))?;
        while deleted < keys.len() {
            let batch = keys.slice(deleted, BATCH);
            bucket.delete_many(&batch).map_err(|error| {
                let problem = target.problem(error.into());
                let so_far = format!(
                    "{} {deleted} of {} keys had already been deleted.",
                    problem.detail(),
                    keys.len()
                );
                Problem::unavailable(so_far)
            })?;
            deleted += batch.len();
        }
    }
    let named = keys.slice(0, NAMED);
    Ok(respond::json(&Removal { store: &target.label, dry_run, matched: keys.len(), deleted, keys: named }))
}

/// Finds the keys among all that there are, so that what is counted is what is there.
async fn find(target: &Target, removal: RemovalRequest) -> Result<Keys, Problem> {
    let takes: Box<dyn Fn(&str) -> bool> = match removal {
        RemovalRequest { keys: Some(keys), prefix: None, contains: None } => {
            Box::new(move |key| keys.contains(key))
        }
        // Nothing named is not everything: a whole store is the empty prefix.
        RemovalRequest { keys: Some(_), .. } | RemovalRequest { prefix: None, contains: None, .. } => {
            return Err(Problem::bad_request(format!(
                "The body must say which keys to delete. Send {REMOVAL}."
            )));
        }
        RemovalRequest { prefix, contains, .. } => {
            let filter =
                Filter { prefix: prefix.unwrap_or_default(), contains: contains.unwrap_or_default() };
            Box::new(move |key| filter.takes(key))
        }
    };
    let mut found = Keys::default();
    let see = |key: String| list::kept(!takes(&key) || found.push(&key));
    target.store.for_each_key(see).await.map_err(|error| target.problem(error))?;
    Ok(found)
}

//! `GET /api/stores/:store`: all keys, as the contract has it, or a sorted page of them.

use super::Target;
use crate::listing::{Contract, Filter, Page};
use crate::query::Query;
use crate::respond::{self, Response};
use crate::store::{self, BATCH, Error, Seen};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use problem::Problem;
use serde::Serialize;
use std::ops::ControlFlow;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// A page with values ends early once it holds this many bytes of them.
const MAX_PAGE_BYTES: usize = 8 << 20;

#[derive(Serialize)]
struct Listing<'a> {
    store: &'a str,
    keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Entry>>,
    /// Give this as `after` for the next page.
    next: Option<String>,
    /// Keys that match, on every page together; nothing where not all were read.
    matched: Option<usize>,
    /// Keys in the store; nothing where not all were read.
    total: Option<usize>,
}

#[derive(Serialize)]
struct Entry {
    key: String,
    size: usize,
    value: String,
}

pub(super) async fn answer(target: &Target, query: &Query) -> Result<Response, Problem> {
    let paged = ["prefix", "contains", "limit", "after", "values", "sorted"]
        .iter()
        .any(|name| query.get(name).is_some());
    if paged { page(target, query).await } else { everything(target).await }
}

/// The keys that a query asks for.
pub(super) fn filter(query: &Query) -> Filter {
    let text = |name| query.get(name).unwrap_or_default().to_owned();
    Filter { prefix: text("prefix"), contains: text("contains") }
}

/// Goes on after a key that found room, and otherwise says that all keys together are too many to keep.
pub(super) fn kept(found_room: bool) -> Seen {
    if found_room {
        return ControlFlow::Continue(());
    }
    let detail = "The keys together are larger than 64 MiB: ask for pages with `limit` and `after`.";
    ControlFlow::Break(Err(Error::TooLarge(detail.to_owned())))
}

async fn everything(target: &Target) -> Result<Response, Problem> {
    let mut listing = Contract::new(&target.label);
    let see = |key: String| kept(listing.push(&key));
    target.store.for_each_key(see).await.map_err(|error| target.problem(error))?;
    Ok(respond::pieces("application/json", listing.finish()))
}

async fn page(target: &Target, query: &Query) -> Result<Response, Problem> {
    let limit = query.parsed("limit")?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::bad_request(format!("The parameter `limit` is {limit}; use 1 to {MAX_LIMIT}.")));
    }
    let with_values = query.switch("values")?;
    // Unsorted, the first keys that come are enough, and a large store answers as fast as a small one.
    let any = query.get("sorted").is_some() && !query.switch("sorted")?;
    let mut page = Page::new(filter(query), query.get("after").map(str::to_owned), limit);
    let mut all = true;
    let see = |key| {
        if any && page.is_full() {
            all = false;
            return ControlFlow::Break(Ok(()));
        }
        page.see(key);
        ControlFlow::Continue(())
    };
    target.store.for_each_key(see).await.map_err(|error| target.problem(error))?;
    let (matched, total) = (all.then_some(page.matched), all.then_some(page.total));
    let (mut keys, mut more) = page.finish();
    let entries = if with_values {
        let (entries, read) = entries(target, &keys).map_err(|error| target.problem(error))?;
        more |= read < keys.len();
        keys.truncate(read);
        Some(entries)
    } else {
        None
    };
    let next = if more && !any { keys.last().cloned() } else { None };
    Ok(respond::json(&Listing { store: &target.label, keys, entries, next, matched, total }))
}

/// The values of a page's keys, and of how many keys. A key that has gone meanwhile has no entry.
fn entries(target: &Target, keys: &[String]) -> Result<(Vec<Entry>, usize), Error> {
    let bucket = target.store.bucket()?;
    let mut entries = Vec::with_capacity(keys.len());
    let (mut bytes, mut read) = (0, 0);
    for batch in keys.chunks(BATCH) {
        let mut values = store::values(&bucket, batch)?;
        for key in batch {
            if let Some(value) = values.remove(key) {
                if bytes > 0 && bytes + value.len() > MAX_PAGE_BYTES {
                    return Ok((entries, read));
                }
                bytes += value.len();
                let (key, size, value) = (key.clone(), value.len(), BASE64_STANDARD.encode(&value));
                entries.push(Entry { key, size, value });
            }
            read += 1;
        }
    }
    Ok((entries, read))
}

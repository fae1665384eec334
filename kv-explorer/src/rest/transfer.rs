//! Whole stores: export and import.

use super::body::MAX_BODY;
use super::{Target, body, list};
use crate::json_lines;
use crate::listing::{self, Keys};
use crate::query::Query;
use crate::respond::{self, Response};
use crate::store::{self, BATCH};
use anyhow::anyhow;
use bytes::Bytes;
use problem::Problem;
use serde::Serialize;
use spin_sdk::http::Request;
use wasi_keyvalue::Bucket;

/// Values that are read for the first piece of an export; for the others as many as make pieces of a good size.
const FIRST_PIECE: usize = 8;

/// `GET /api/stores/:store/export`: every entry that matches, as JSON Lines. Values are read as the client takes them,
/// a batch at a time, from a list of keys that was complete before the answer began.
pub(super) async fn export(target: &Target, query: &Query) -> Result<Response, Problem> {
    let filter = list::filter(query);
    let mut keys = Keys::default();
    let see = |key: String| list::kept(!filter.takes(&key) || keys.push(&key));
    target.store.for_each_key(see).await.map_err(|error| target.problem(error))?;
    let bucket = target.store.bucket().map_err(|error| target.problem(error))?;
    let (mut start, mut size) = (0, FIRST_PIECE);
    let pieces = std::iter::from_fn(move || {
        let batch = keys.slice(start, size);
        if batch.is_empty() {
            return None;
        }
        start += batch.len();
        let piece = piece(&bucket, &batch);
        size = next_size(size, piece.as_ref().map_or(0, Bytes::len));
        Some(piece)
    });
    let response = respond::lazily("application/jsonl", pieces);
    let disposition = format!("attachment; filename=\"{}\"", listing::export_name(&target.label));
    Ok(respond::with_header(response, "content-disposition", &disposition))
}

/// How many values to read next, after so many came to so many bytes: some mebibytes at a time, however large values are.
fn next_size(size: usize, bytes: usize) -> usize {
    match bytes {
        0..=0x10_0000 => (2 * size).min(BATCH),
        0x10_0001..=0x40_0000 => size,
        _ => (size / 2).max(1),
    }
}

fn piece(bucket: &Bucket, keys: &[String]) -> Result<Bytes, anyhow::Error> {
    let values = store::values(bucket, keys).map_err(|error| anyhow!("the export was cut off: {error:?}"))?;
    let mut lines = Vec::new();
    for key in keys {
        if let Some(value) = values.get(key) {
            json_lines::write(&mut lines, key, value);
        }
    }
    Ok(lines.into())
}

#[derive(Serialize)]
struct Imported<'a> {
    store: &'a str,
    dry_run: bool,
    entries: usize,
    created: usize,
    replaced: usize,
    unchanged: usize,
}

/// `POST /api/stores/:store/import`: reads the whole file before it writes the first entry; with `dry_run`, only says
/// what it would do.
pub(super) async fn import(target: &Target, query: &Query, request: Request) -> Result<Response, Problem> {
    let dry_run = query.switch("dry_run")?;
    let mut entries = json_lines::read(&body::read(request, MAX_BODY).await?)?;
    let bucket = target.store.bucket().map_err(|error| target.problem(error))?;
    let total = entries.len();
    let mut answer =
        Imported { store: &target.label, dry_run, entries: total, created: 0, replaced: 0, unchanged: 0 };
    // From the end, so that what has been written is released.
    while !entries.is_empty() {
        let mut batch = entries.split_off(entries.len().saturating_sub(BATCH));
        let keys: Vec<String> = batch.iter().map(|(key, _)| key.clone()).collect();
        let written = (|| {
            let present = store::values(&bucket, &keys)?;
            batch.retain(|(key, value)| {
                let now = present.get(key);
                let same = now == Some(value);
                match now {
                    None => answer.created += 1,
                    Some(_) if same => answer.unchanged += 1,
                    Some(_) => answer.replaced += 1,
                }
                !same
            });
            if dry_run || batch.is_empty() {
                Ok(())
            } else {
                bucket.set_many(&batch).map_err(store::Error::from)
            }
        })();
        written.map_err(|error| {
            let (problem, left) = (target.problem(error), entries.len() + keys.len());
            let detail = format!(
                "{} {} of {total} entries had already been imported.",
                problem.detail(),
                total - left
            );
            Problem::unavailable(detail)
        })?;
    }
    Ok(respond::json(&answer))
}

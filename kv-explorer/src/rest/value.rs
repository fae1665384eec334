//! One key: set, get, put, delete.

use super::{Target, body};
use crate::etag;
use crate::json_lines::{MAX_KEY, MAX_VALUE, check_sizes};
use crate::respond::{self, Response};
use crate::safe_key;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use problem::Problem;
use serde::{Deserialize, Serialize};
use spin_sdk::http::{HeaderMap, Request, StatusCode};

#[derive(Deserialize)]
struct Set {
    key: String,
    value: String,
}

#[derive(Serialize)]
struct Got<'a> {
    store: &'a str,
    key: String,
    value: String,
}

#[derive(Serialize)]
struct Done<'a> {
    store: &'a str,
    key: String,
}

/// `POST /api/stores/:store`: the contract's way to set a key to a text.
pub(super) async fn set(target: &Target, request: Request) -> Result<Response, Problem> {
    let Set { key, value } = body::json(request, "{\"key\": \"…\", \"value\": \"…\"}").await?;
    check_sizes(&key, value.as_bytes())?;
    target.store.set(&key, value.as_bytes()).await.map_err(|error| target.problem(error))?;
    Ok(done(target, &key))
}

/// `GET /api/stores/:store/keys/:safe`: JSON, or the bytes themselves for a client that accepts only those.
pub(super) async fn get(target: &Target, key: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let value = target
        .store
        .get(key)
        .await
        .map_err(|error| target.problem(error))?
        .ok_or_else(|| absent(target, key))?;
    let tag = etag::of(&value);
    let response = if text(headers, "accept").starts_with("application/octet-stream") {
        let response = respond::bytes("application/octet-stream", StatusCode::OK, value);
        respond::with_header(response, "content-disposition", "attachment")
    } else {
        let (key, value) = (safe_key::encode(key), BASE64_STANDARD.encode(&value));
        respond::json(&Got { store: &target.label, key, value })
    };
    Ok(respond::with_header(response, "etag", &tag))
}

/// `PUT /api/stores/:store/keys/:safe`: sets a key to the body's bytes. `If-Match` replaces only the value with that
/// tag, `If-None-Match: *` only adds.
pub(super) async fn put(target: &Target, key: &str, request: Request) -> Result<Response, Problem> {
    if key.len() > MAX_KEY {
        check_sizes(key, &[])?;
    }
    let expected = request.headers().get("if-match").map(|_| text(request.headers(), "if-match").to_owned());
    let only_new = text(request.headers(), "if-none-match") == "*";
    let value = body::read(request, MAX_VALUE).await?;
    match expected {
        _ if only_new => {
            let added = target.store.replace(key, &value, |now| now.is_none());
            if !added.map_err(|error| target.problem(error))? {
                return Err(Problem::new(
                    StatusCode::PRECONDITION_FAILED,
                    format!("The store {:?} has this key already: edit it instead.", target.label),
                ));
            }
        }
        None => target.store.set(key, &value).await.map_err(|error| target.problem(error))?,
        Some(tags) => {
            let is_expected = |now: Option<&[u8]>| now.is_some_and(|now| etag::names(&tags, &etag::of(now)));
            if !target.store.replace(key, &value, is_expected).map_err(|error| target.problem(error))? {
                return Err(Problem::new(
                    StatusCode::PRECONDITION_FAILED,
                    "The value has changed since it was read: look at it again before you replace it.",
                ));
            }
        }
    }
    Ok(respond::with_header(done(target, key), "etag", &etag::of(&value)))
}

/// `DELETE /api/stores/:store/keys/:safe`. `If-Match` deletes only the value with that tag; no interface of Spin's deletes and compares
/// in one step, so a change between the two is not seen.
pub(super) async fn delete(target: &Target, key: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let value = target.store.get(key).await.map_err(|error| target.problem(error))?;
    let value = value.ok_or_else(|| absent(target, key))?;
    if headers.contains_key("if-match") && !etag::names(text(headers, "if-match"), &etag::of(&value)) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "The value has changed since it was read: look at it again before you delete it.",
        ));
    }
    target.store.delete(key).await.map_err(|error| target.problem(error))?;
    Ok(done(target, key))
}

fn done(target: &Target, key: &str) -> Response {
    respond::json(&Done { store: &target.label, key: safe_key::encode(key) })
}

fn absent(target: &Target, key: &str) -> Problem {
    let shown: String = key.chars().take(80).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("The store {:?} has no key {shown:?}.", target.label))
}

/// A header's text; one that is absent or not ASCII is empty.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

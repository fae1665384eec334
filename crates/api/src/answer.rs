//! Answers.

use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::Problem;

/// An answer of JSON.
pub fn json<T: Serialize>(value: &T) -> Result<Response<String>, Problem> {
    let body = serde_json::to_string(value).map_err(|error| Problem::unwritable(&error))?;
    Ok(whole(StatusCode::OK, "application/json", body))
}

/// The answer to OPTIONS, without the headers that would let pages of other sites use the methods.
pub fn options(allowed: &'static str) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert("allow", HeaderValue::from_static(allowed));
    response
}

/// An answer that is not kept by anybody, and whose type is not guessed.
pub fn of_type<B>(content_type: &'static str, body: B) -> Response<B> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// The same with a status, and with the length of its body, so that it needs no chunks.
pub(crate) fn whole(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let length = body.len().into();
    let mut response = of_type(content_type, body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-length", length);
    response
}

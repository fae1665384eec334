//! Responses.

use http::{HeaderValue, Method, Response, StatusCode};
use problem::Problem;
use serde::Serialize;

/// A response of JSON, with the length of its body, so that it needs no chunks.
pub fn json<T: Serialize>(value: &T) -> Result<Response<String>, Problem> {
    let body = serde_json::to_string(value)
        .map_err(|error| Problem::internal(format!("The answer cannot be written as JSON: {error}.")))?;
    let length = body.len().into();
    let mut response = of_type("application/json", body);
    response.headers_mut().insert("content-length", length);
    Ok(response)
}

/// The response to OPTIONS, without the headers that would let pages of other sites use the methods.
pub fn options(allowed: &'static str) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert("allow", HeaderValue::from_static(allowed));
    response
}

/// The response to a method that a route does not have: OPTIONS says which there are.
pub fn other_method(method: &Method, allowed: &'static str) -> Result<Response<String>, Problem> {
    if method == Method::OPTIONS {
        Ok(options(allowed))
    } else {
        Err(Problem::method_not_allowed(method, allowed))
    }
}

/// A response that is never cached, and whose type is never guessed.
pub fn of_type<B>(content_type: &'static str, body: B) -> Response<B> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

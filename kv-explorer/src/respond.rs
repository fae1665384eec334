//! Answers on the wire: bodies, lengths and the headers that every answer carries.

use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use problem::Problem;
use serde::Serialize;

/// An answer, whatever its body is made of.
pub(crate) type Response = http::Response<UnsyncBoxBody<Bytes, anyhow::Error>>;

/// What the API answers is for the caller alone: not for a cache, a frame, another origin, or a browser's guess at its
/// type.
const API_HEADERS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// An answer of the API whose body is known in full.
pub(crate) fn bytes(content_type: &str, status: StatusCode, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let length = body.len();
    let response = streamed(content_type, full(body));
    with_status(with_length(response, length), status)
}

/// 200 with this JSON.
pub(crate) fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => bytes("application/json", StatusCode::OK, body),
        Err(error) => problem(Problem::internal(format!("The answer cannot be written as JSON: {error}."))),
    }
}

/// A problem, with the headers that every answer of the API carries.
pub(crate) fn problem(problem: Problem) -> Response {
    let mut response = problem.into_response().map(|body| full(body.into()));
    add_api_headers(&mut response);
    response
}

/// 200 with a body in pieces that are all in memory already; each is released once it has been sent.
pub(crate) fn pieces(content_type: &str, pieces: Vec<Bytes>) -> Response {
    let length = pieces.iter().map(Bytes::len).sum();
    with_length(lazily(content_type, pieces.into_iter().map(Ok)), length)
}

/// 200 with a body whose pieces are made as the client takes them. An error breaks the connection, so that a client
/// never takes a part for the whole.
pub(crate) fn lazily<I>(content_type: &str, pieces: I) -> Response
where
    I: Iterator<Item = Result<Bytes, anyhow::Error>> + Send + 'static,
{
    let frames = pieces.map(|piece| piece.map(Frame::data));
    streamed(content_type, StreamBody::new(stream::iter(frames)).boxed_unsync())
}

/// The answer with this status.
pub(crate) fn with_status(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

/// The answer with this header. A value that no header can hold is left out.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn full(body: Bytes) -> UnsyncBoxBody<Bytes, anyhow::Error> {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn streamed(content_type: &str, body: UnsyncBoxBody<Bytes, anyhow::Error>) -> Response {
    let mut response = with_header(Response::new(body), "content-type", content_type);
    add_api_headers(&mut response);
    response
}

fn add_api_headers(response: &mut Response) {
    for (name, value) in API_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

fn with_length(mut response: Response, length: usize) -> Response {
    response.headers_mut().insert("content-length", HeaderValue::from(length));
    response
}

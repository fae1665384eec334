//! Passes each request on to the address in its header `x-to`, body and all, and the response back as it comes, save for the
//! headers of the connection. A request that fails is answered with 502 and the code of the error.
//!
//! The address in `x-then` is the `x-to` of the request that is sent.
//!
//! Other headers, each in milliseconds: `x-connect-timeout`, `x-first-byte-timeout` and `x-between-bytes-timeout` are the
//! request's own; after `x-patience` the component gives the request up.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either as Select, select};
use http_body_util::{Either, Full};
use spin_sdk::http::{self, HeaderMap, Request, Response};
use spin_sdk::http_service;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::{IncomingRequestBody, IncomingResponseBody, RequestOptionsExtension};

type Body = Either<IncomingResponseBody, Full<Bytes>>;

#[http_service]
async fn handle(request: Request) -> Response<Body> {
    let patience = milliseconds(request.headers(), "x-patience").unwrap_or(Duration::MAX);
    let Some(request) = forwarded(request) else { return answer(400, "there is no address in x-to") };
    match select(pin!(http::send(request)), pin!(sleep(patience))).await {
        Select::Left((Ok(response), _)) => without_connection(response).map(Either::Left),
        Select::Left((Err(code), _)) => answer(502, format!("{code:?}")),
        Select::Right(_) => answer(504, "given up"),
    }
}

/// The request to send, or nothing where its address is none. Its body is another type than that which came in: the SDK
/// would pass on a request whose body is untouched as it came, with the old address.
fn forwarded(request: Request) -> Option<Request<Either<IncomingRequestBody, Full<Bytes>>>> {
    let (head, body) = request.into_parts();
    let uri = head.headers.get("x-to")?.to_str().ok()?;
    let mut request = Request::new(Either::Left(body));
    *request.uri_mut() = uri.parse().ok()?;
    *request.method_mut() = head.method;
    if let Some(next) = head.headers.get("x-then") {
        request.headers_mut().insert("x-to", next.clone());
    }
    let options = RequestOptions::new();
    let nanoseconds =
        |name| milliseconds(&head.headers, name).and_then(|limit| limit.as_nanos().try_into().ok());
    // An option that the host does not take is not set.
    let _ = options.set_connect_timeout(nanoseconds("x-connect-timeout"));
    let _ = options.set_first_byte_timeout(nanoseconds("x-first-byte-timeout"));
    let _ = options.set_between_bytes_timeout(nanoseconds("x-between-bytes-timeout"));
    request.extensions_mut().insert(RequestOptionsExtension(options));
    Some(request)
}

/// Spin shows a component the headers of the connection to the server, and refuses them in what it answers.
fn without_connection<T>(mut response: Response<T>) -> Response<T> {
    for name in ["connection", "transfer-encoding"] {
        response.headers_mut().remove(name);
    }
    response
}

fn milliseconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    headers.get(name)?.to_str().ok()?.parse().ok().map(Duration::from_millis)
}

fn answer(status: u16, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Either::Right(Full::new(text.into())));
    *response.status_mut() = status.try_into().unwrap_or_default();
    response
}

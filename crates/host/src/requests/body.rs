//! Bodies of requests on their way from a client to a guest.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::limits;

/// Why the body of a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is longer than a component can be sent.
    TooLarge,
    /// The client stopped sending.
    Stalled,
    /// The connection broke.
    Broken,
}

/// The body of a request, ready for a guest. A small one is read first, so that a client that stops half-way holds
/// no instance.
pub(crate) async fn incoming(headers: &HeaderMap, body: Incoming) -> Result<WasiBody, Refused> {
    let hint = body.size_hint();
    if hint.exact() == Some(0) {
        return Ok(full(Bytes::new()));
    }
    if hint.lower() > limits::REQUEST_BODY {
        return Err(Refused::TooLarge);
    }
    if headers.contains_key(header::CONTENT_LENGTH) && hint.upper().is_some_and(|n| n <= limits::SMALL_BODY) {
        return match timeout(limits::CLIENT_STALL, body.collect()).await {
            Ok(Ok(collected)) => Ok(full(collected.to_bytes())),
            Ok(Err(_)) => Err(Refused::Broken),
            Err(_) => Err(Refused::Stalled),
        };
    }
    Ok(Streamed { body, left: limits::REQUEST_BODY, stall: Box::pin(sleep(limits::CLIENT_STALL)) }
        .boxed_unsync())
}

/// A body known whole.
pub(crate) fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// A request body that reaches the guest as it comes, up to a limit and without long pauses.
struct Streamed {
    body: Incoming,
    left: u64,
    stall: Pin<Box<Sleep>>,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.stall.as_mut().poll(context));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        self.stall.as_mut().reset(tokio::time::Instant::now() + limits::CLIENT_STALL);
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                match self.left.checked_sub(length) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(Error::HttpRequestBodySize(Some(limits::REQUEST_BODY)))),
                }
            }
            Some(Err(error)) => Some(Err(error.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

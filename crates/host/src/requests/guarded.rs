//! Bodies of answers on their way from a guest to a client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::DropGuard;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instances::workers::Failed;
use crate::limits;
use crate::requests::body::full;

/// The guest died while its answer was being written.
#[derive(Debug)]
pub(crate) struct CutOff;

/// Ties an answer to the instance it comes from and to the caller it goes to: the place of the request is kept until the
/// body is written, a body that an instance left half-written is an error instead of an end, and a caller who takes
/// half of it no longer waits. A small answer is read whole, so that head and body go out in one write.
pub(crate) async fn guarded(
    response: Response<WasiBody>,
    permit: OwnedSemaphorePermit,
    instance: Failed,
    waiting: DropGuard,
) -> Result<Response<WasiBody>, CutOff> {
    let length = response.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let (head, body) = response.into_parts();
    let guarded = Guarded { body, left: length, instance, waiting: Some(waiting), _permit: permit };
    let body = if length.is_some_and(|length| length <= limits::SMALL_BODY) {
        full(guarded.collect().await.map_err(|_| CutOff)?.to_bytes())
    } else {
        guarded.boxed_unsync()
    };
    Ok(Response::from_parts(head, body))
}

struct Guarded {
    body: WasiBody,
    /// What is left of the body, where its length is known: whoever has got it all need not look for the end.
    left: Option<u64>,
    instance: Failed,
    waiting: Option<DropGuard>,
    _permit: OwnedSemaphorePermit,
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None if self.instance.is_set() => Some(Err(Error::HttpResponseIncomplete)),
            frame => frame,
        };
        if let Some(left) = &mut self.left
            && let Some(Ok(frame)) = &frame
        {
            *left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
        if (frame.is_none() || self.left == Some(0))
            && let Some(waiting) = self.waiting.take()
        {
            waiting.disarm();
        }
        Poll::Ready(frame)
    }

    // `is_end_stream` stays false: only the last poll tells whether the instance survived.

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

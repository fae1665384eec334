//! The caller that waits for an answer, as seen by the work on it: once it has gone, nothing more is awaited for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::{Error, WasiBody};

/// Why an instance ends that computes for a caller who has gone.
#[derive(Debug, thiserror::Error)]
#[error("nobody is waiting for the answer any more")]
pub(crate) struct Abandoned;

/// The caller of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller(CancellationToken);

impl Caller {
    /// Held while the caller waits, and disarmed when the answer has left: if it is dropped before, the caller has gone.
    pub(crate) fn waiting(&self) -> DropGuard {
        self.0.clone().drop_guard()
    }

    /// Whether the caller has gone without the whole answer.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Completes when the caller has gone without the whole answer.
    pub(crate) fn gone(&self) -> WaitForCancellationFutureOwned {
        self.0.clone().cancelled_owned()
    }

    /// What `work` comes to; `None`, and `work` is dropped, where the caller goes before.
    pub(crate) async fn unless_gone<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.run_until_cancelled(work).await
    }

    /// A body that breaks off, and is dropped, when the caller goes.
    pub(crate) fn body(&self, body: WasiBody) -> WasiBody {
        Abandonable { body: Some(body), gone: Box::pin(self.gone()) }.boxed_unsync()
    }
}

struct Abandonable {
    body: Option<WasiBody>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Body for Abandonable {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        if frame.is_pending() && self.gone.as_mut().poll(context).is_ready() {
            self.body = None;
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

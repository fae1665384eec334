//! A response that must not pause for too long.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use crate::Error;

/// A body of which every piece comes within `limit` of the one before. Once it does not, its connection is closed.
pub(crate) struct TimedBody {
    body: Option<Incoming>,
    limit: Duration,
    /// Only while there is nothing to read.
    pause: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    pub(crate) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body: Some(body), limit, pause: None }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            this.pause = None;
            return Poll::Ready(
                frame.map(|frame| frame.map_err(|error| Error::from_source(&error, Error::Broken))),
            );
        }
        let limit = this.limit;
        ready!(this.pause.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(context));
        this.body = None;
        Poll::Ready(Some(Err(Error::BodyTimeout(limit))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

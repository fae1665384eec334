//! Bodies of requests on their way from a client to a guest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::budget::{Budget, Taken};
use crate::limits;

/// Why the body of a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is longer than a component can be sent.
    TooLarge,
    /// The client stopped sending, or sends too slowly.
    Stalled,
    /// The connection broke.
    Broken,
    /// The bodies of other requests take all the memory there is for them.
    NoRoom,
}

/// The body of a request, ready for a guest: read whole, however it is framed, so that no client can hold an instance by
/// sending slowly. What is read counts towards `room` until the guest has taken it.
pub(crate) async fn incoming(mut body: Incoming, room: &Arc<Budget>) -> Result<WasiBody, Refused> {
    let hint = body.size_hint();
    if hint.exact() == Some(0) {
        return Ok(full(Bytes::new()));
    }
    if hint.lower() > limits::REQUEST_BODY {
        return Err(Refused::TooLarge);
    }
    let start = Instant::now();
    let mut taken = room.nothing();
    let mut read = Read::Nothing;
    loop {
        let frame = match timeout_at(start + patience(read.length()), body.frame()).await {
            Ok(Some(frame)) => frame.map_err(|_| Refused::Broken)?,
            Ok(None) => break,
            Err(_) => return Err(Refused::Stalled),
        };
        // Trailers say nothing that a component is entitled to.
        let Ok(piece) = frame.into_data() else { continue };
        if (read.length() + piece.len()) as u64 > limits::REQUEST_BODY {
            return Err(Refused::TooLarge);
        }
        if !taken.grow(piece.len()) {
            return Err(Refused::NoRoom);
        }
        read.push(piece);
    }
    Ok(Held { body: Full::new(read.into_bytes()), _taken: taken }.boxed_unsync())
}

/// How long a client may take to send so many bytes: [`limits::CLIENT_STALL`] and the time that they take at
/// [`limits::BODY_RATE`].
fn patience(bytes: usize) -> Duration {
    limits::CLIENT_STALL + Duration::from_secs((bytes / limits::BODY_RATE) as u64)
}

/// What has been read of a body. One that comes in one piece is not copied.
enum Read {
    Nothing,
    One(Bytes),
    Many(Vec<u8>),
}

impl Read {
    fn length(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.len(),
            Self::Many(pieces) => pieces.len(),
        }
    }

    fn push(&mut self, piece: Bytes) {
        match self {
            Self::Nothing => *self = Self::One(piece),
            Self::One(first) => *self = Self::Many([&first[..], &piece].concat()),
            Self::Many(pieces) => pieces.extend_from_slice(&piece),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(piece) => piece,
            Self::Many(pieces) => pieces.into(),
        }
    }
}

/// A body known whole.
pub(crate) fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// A body known whole, with the memory that it takes.
struct Held {
    body: Full<Bytes>,
    _taken: Taken,
}

impl Body for Held {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context).map_err(|never| match never {})
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! Reading a message's body in bounded memory.

use std::{future::poll_fn, pin::Pin};

use bytes::Bytes;
use http_body::Body;
use spin_sdk::wasip3::http::types::ErrorCode;

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is longer than the limit.
    TooLong,
    /// It broke off.
    Broken(ErrorCode),
}

/// Reads a body of at most `limit` bytes.
///
/// One that says that it is longer is not read at all, and one that says how long it is is read to there: asking for its end
/// would cost two more calls of the host.
pub(crate) async fn read(
    body: &mut (dyn Body<Data = Bytes, Error = ErrorCode> + Unpin),
    limit: usize,
) -> Result<Vec<u8>, Unread> {
    let mut body = Pin::new(body);
    let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Unread::TooLong);
    }
    let mut bytes = Vec::new();
    while Some(bytes.len()) != length {
        let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await else { break };
        let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Unread::TooLong);
        }
        if bytes.is_empty() {
            bytes = data.into();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        task::{Context, Poll},
    };

    use futures::executor::block_on;
    use http_body::{Frame, SizeHint};

    use super::*;

    /// A body of chunks, with the length that its header gives.
    struct Chunks(Option<u64>, VecDeque<Result<&'static str, ErrorCode>>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = ErrorCode;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
            Poll::Ready(self.1.pop_front().map(|chunk| chunk.map(|text| Frame::data(Bytes::from(text)))))
        }

        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::default();
            if let Some(length) = self.0 {
                hint.set_upper(length);
            }
            hint
        }
    }

    #[test]
    fn bodies() {
        let broken = || Err(ErrorCode::HttpProtocolError);
        let cases = [
            (None, vec![], Ok("")),
            (None, vec![Ok("ab"), Ok("cd"), Ok("e")], Ok("abcde")),
            (None, vec![Ok("abcd"), Ok("ef")], Err("TooLong")),
            (None, vec![Ok("abcdef")], Err("TooLong")),
            (None, vec![Ok("ab"), broken()], Err("Broken")),
            (Some(0), vec![broken()], Ok("")),
            (Some(4), vec![Ok("ab"), Ok("cd"), broken()], Ok("abcd")),
            (Some(4), vec![Ok("ab"), broken()], Err("Broken")),
            (Some(4), vec![Ok("ab")], Ok("ab")),
            (Some(6), vec![Ok("ab")], Err("TooLong")),
            (Some(u64::MAX), vec![Ok("ab")], Err("TooLong")),
        ];
        for (length, chunks, expected) in cases {
            let read = block_on(read(&mut Chunks(length, chunks.into()), 5));
            let read = read.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| match error {
                Unread::TooLong => "TooLong",
                Unread::Broken(_) => "Broken",
            });
            assert_eq!(read.as_deref(), expected.as_deref());
        }
    }
}

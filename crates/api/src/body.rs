//! Reading a message's body in bounded memory.

use std::{fmt, future::poll_fn, pin::Pin};

use bytes::Bytes;
use http::StatusCode;
use http_body::Body;
use problem::Problem;

/// The longest body of a request, in bytes. The longest sentence fits even if every character is escaped.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Why a body was not read.
#[derive(Debug)]
pub enum Unread<E> {
    /// It is longer than the limit.
    TooLong,
    /// It was cut off.
    CutOff(E),
}

/// Reads a body of at most `limit` bytes.
///
/// One that announces a greater length is not read at all, and of one that announces its length no more than that is read: asking
/// for its end would cost two more calls of the host.
pub async fn read<E>(
    body: &mut (dyn Body<Data = Bytes, Error = E> + Unpin),
    limit: usize,
) -> Result<Vec<u8>, Unread<E>> {
    let mut body = Pin::new(body);
    let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Unread::TooLong);
    }
    let mut bytes = Vec::new();
    while Some(bytes.len()) != length {
        let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await else { break };
        let Ok(data) = frame.map_err(Unread::CutOff)?.into_data() else { continue };
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

/// Reads the body of a request that holds a sentence.
pub async fn of_request<E: fmt::Display>(
    body: &mut (dyn Body<Data = Bytes, Error = E> + Unpin),
) -> Result<Vec<u8>, Problem> {
    read(body, MAX_REQUEST_BYTES).await.map_err(|error| match error {
        Unread::TooLong => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is longer than {MAX_REQUEST_BYTES} bytes. Shorten it."),
        ),
        Unread::CutOff(error) => {
            Problem::bad_request(format!("The body was cut off: {error}. Send it again."))
        }
    })
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
    struct Chunks(Option<u64>, VecDeque<Result<&'static str, ()>>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = ();

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
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
        let cases = [
            (None, vec![], Ok("")),
            (None, vec![Ok("ab"), Ok("cd"), Ok("e")], Ok("abcde")),
            (None, vec![Ok("abcd"), Ok("ef")], Err("TooLong")),
            (None, vec![Ok("abcdef")], Err("TooLong")),
            (None, vec![Ok("ab"), Err(())], Err("CutOff")),
            (Some(0), vec![Err(())], Ok("")),
            (Some(4), vec![Ok("ab"), Ok("cd"), Err(())], Ok("abcd")),
            (Some(4), vec![Ok("ab"), Err(())], Err("CutOff")),
            (Some(4), vec![Ok("ab")], Ok("ab")),
            (Some(6), vec![Ok("ab")], Err("TooLong")),
            (Some(u64::MAX), vec![Ok("ab")], Err("TooLong")),
        ];
        for (length, chunks, expected) in cases {
            let read = block_on(read(&mut Chunks(length, chunks.into()), 5));
            let read = read.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| match error {
                Unread::TooLong => "TooLong",
                Unread::CutOff(()) => "CutOff",
            });
            assert_eq!(read.as_deref(), expected.as_deref());
        }
    }
}

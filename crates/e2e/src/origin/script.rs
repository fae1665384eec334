//! What the server does.

use std::net::SocketAddr;
use std::time::Duration;

/// What the server does with every request.
#[derive(Clone, Debug)]
pub enum Script {
    /// Answers with this status and body.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: &'static str,
    },
    /// Answers once so many requests are there.
    Together {
        /// How many.
        requests: usize,
        /// The body.
        answer: &'static str,
    },
    /// Answers after this long.
    After(Duration),
    /// Sends the client on to this address.
    Redirect(String),
    /// Sends the request's body back while it arrives.
    Echo,
    /// Answers with this many bytes.
    Bytes(usize),
    /// Closes the connection without a word.
    CutBeforeHead,
    /// Closes it in the middle of the body.
    CutInBody,
    /// Never answers.
    Silence,
    /// Begins an answer, and never goes on.
    Pause,
    /// Answers one byte at a time, and never comes to an end.
    Trickle,
    /// Answers as fast as it can, and never comes to an end.
    Flood,
    /// Is a proxy: whatever it is asked for, it leads to the server at this address.
    Proxy(SocketAddr),
}

impl Script {
    /// An answer with this status and body.
    pub fn answer(status: u16, body: &'static str) -> Self {
        Self::Answer { status, body }
    }
}

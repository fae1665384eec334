//! The private call by which the API asks the component `recorder` for the answer to a sentence that the variant's store does not have, for
//! both its ends: a POST of a [`NewSentence`] to [`URL`], answered with an [`Answered`], or a problem (RFC 9457) for the client.

use std::borrow::Cow;

use problem::Problem;
use serde::{Deserialize, Serialize};

use crate::json;

/// Where the component answers. It is not one of the app's routes, so only other components reach it.
pub const PATH: &str = "/new";

/// The same for the app's other components, which need the host in their `allowed_outbound_hosts`.
pub const URL: &str = "http://recorder.spin.internal/new";

/// A sentence that somebody wants to be classified.
#[derive(Debug, Deserialize, Serialize)]
pub struct NewSentence<'r> {
    /// The sentence.
    #[serde(borrow)]
    pub sentence: Cow<'r, str>,
    /// The label of the variant that the request was assigned.
    #[serde(borrow)]
    pub variant: Cow<'r, str>,
    /// Where the request comes from, as [`address::of`](crate::address::of) has it.
    #[serde(borrow)]
    pub address: Cow<'r, str>,
}

impl<'r> NewSentence<'r> {
    /// Reads the body of a request.
    pub fn read(body: &'r [u8]) -> Result<Self, Problem> {
        json::read(body, r#"{"sentence": "…", "variant": "…", "address": "…"}"#)
    }
}

/// What came out.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answered<O> {
    /// The outcome.
    pub outcome: O,
    /// Whether the store had it after all: the same sentence was asked about twice at the same time.
    pub cached: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree() {
        let sent = NewSentence {
            sentence: "\"Fine\"\n".into(),
            variant: "promptstore1".into(),
            address: "203.0.113.7".into(),
        };
        let body = serde_json::to_string(&sent).unwrap();
        let read = NewSentence::read(body.as_bytes()).unwrap();
        assert_eq!((read.sentence, read.variant, read.address), (sent.sentence, sent.variant, sent.address));
        assert_eq!(NewSentence::read(br#"{"sentence": "a"}"#).unwrap_err().status(), 400);
        assert!(URL.ends_with(PATH));
    }

    #[test]
    fn fuzz() {
        fuzz::bytes(&[r#"{"sentence": "a", "variant": "b", "address": "c"}"#], |body| {
            let _ = NewSentence::read(body);
        });
    }
}

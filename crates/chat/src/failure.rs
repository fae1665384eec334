//! Why there is no completion.

use std::time::Duration;
use std::{error, fmt};

use crate::{FailureKind, Parameter, Server};

/// The longest message of a server's that is repeated, in characters.
const MAX_MESSAGE: usize = 300;

/// A token or a prompt that is shorter is not looked for in messages: it would be found in the middle of words.
const MIN_SECRET: usize = 4;

/// Why there is no completion. As text it is what the operator needs to know: one sentence with the server's address and its own
/// message, bounded, on one line, without the token and the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    text: String,
    retry_after: Option<Duration>,
    named: Vec<Parameter>,
}

impl Failure {
    /// A failure for which the server, or the way to it, gave a reason.
    pub(crate) fn new(kind: FailureKind, server: &Server, redaction: &Redaction, reason: &str) -> Self {
        Self::saying(kind, server, kind.predicate(), redaction, reason)
    }

    /// The same, with more to say about what the server did.
    pub(crate) fn saying(
        kind: FailureKind,
        server: &Server,
        predicate: &str,
        redaction: &Redaction,
        reason: &str,
    ) -> Self {
        let reason = redaction.apply(reason);
        let mark = if reason.is_empty() { "" } else { ": " };
        let text = format!("the model server at {} {predicate}{mark}{reason}", server.address());
        Self { kind, text, retry_after: None, named: Vec::new() }
    }

    /// The same, with the time after which the server wants to be asked again.
    pub(crate) fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// The same, naming these parameters.
    pub(crate) fn with_named(self, named: Vec<Parameter>) -> Self {
        Self { named, ..self }
    }

    /// What went wrong.
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// After how long the server wants to be asked again, if it said so in seconds.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The parameters that the server's message names, in its order.
    pub(crate) fn named_parameters(&self) -> &[Parameter] {
        &self.named
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for Failure {}

/// What must not be in a message.
pub(crate) struct Redaction<'t> {
    pub(crate) token: &'t str,
    pub(crate) prompt: &'t str,
}

impl Redaction<'_> {
    /// The text on one line, without secrets, and not too long.
    fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, name) in [(self.token, "[token]"), (self.prompt.trim(), "[prompt]")] {
            if secret.len() >= MIN_SECRET {
                text = text.replace(secret, name);
            }
        }
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MAX_MESSAGE) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_bounded_on_one_line_and_without_secrets() {
        let server = Server::new("http://h:1", "/v1?key=in-a-query", "secret-token").unwrap();
        let redaction = server.redaction("  the prompt\n");
        let text = |reason: &str| Failure::new(FailureKind::Refused, &server, &redaction, reason).to_string();
        let head = "the model server at http://h:1/v1 refused the question";
        assert_eq!(text(""), head);
        assert_eq!(text(" a\r\n\u{1b}[31mb\0 "), format!("{head}: a [31mb"));
        assert_eq!(text("no secret-token, no the prompt"), format!("{head}: no [token], no [prompt]"));
        assert_eq!(text(&"é".repeat(301)), format!("{head}: {}…", "é".repeat(300)));
        // A token that is cut in two by the bound would no longer be found.
        let long = format!("{}secret-token", "x".repeat(295));
        assert!(!text(&long).contains("secr"));
        let failure = server.failure(FailureKind::Unreachable, "secret-token at h");
        assert_eq!(failure.to_string(), "the model server at http://h:1/v1 cannot be reached: [token] at h");
        let short = Server::new("http://h", "", "a").unwrap().failure(FailureKind::Refused, "a cat");
        assert!(short.to_string().ends_with("a cat"));
    }
}

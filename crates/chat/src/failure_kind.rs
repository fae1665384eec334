//! What can go wrong, and how it is worded.

use http::StatusCode;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The server wants a token, or another one.
    Token,
    /// The server has no model of this name.
    UnknownModel,
    /// The server is there, but nothing at this path, or it is elsewhere.
    WrongPath,
    /// The server received too many requests.
    RateLimited,
    /// The server is too busy, or failed.
    Overloaded,
    /// What answered does not speak the protocol.
    NotTheProtocol,
    /// The answer ended early.
    CutOff,
    /// The answer is longer than [`MAX_ANSWER_BYTES`](crate::MAX_ANSWER_BYTES).
    TooLarge,
    /// No connection to the server.
    Unreachable,
    /// The server's certificate is not trusted, or there is no common TLS.
    Certificate,
    /// No answer within the time.
    TimedOut,
    /// The model used up its tokens before it answered.
    NoAnswer,
    /// The server refused parameters of the question; see [`Dialect::after_refusal`](crate::Dialect::after_refusal).
    RefusedParameters,
    /// The server refused the question for another reason.
    Refused,
}

/// The texts for a kind of failure.
struct Description {
    slug: &'static str,
    predicate: &'static str,
    hint: &'static str,
    visitor: &'static str,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Token,
        Self::UnknownModel,
        Self::WrongPath,
        Self::RateLimited,
        Self::Overloaded,
        Self::NotTheProtocol,
        Self::CutOff,
        Self::TooLarge,
        Self::Unreachable,
        Self::Certificate,
        Self::TimedOut,
        Self::NoAnswer,
        Self::RefusedParameters,
        Self::Refused,
    ];

    /// The kind whose [`slug`](Self::slug) this is.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The kind that the text of a transport's error tells of: [`Certificate`](Self::Certificate),
    /// [`TimedOut`](Self::TimedOut), [`CutOff`](Self::CutOff) or [`Unreachable`](Self::Unreachable). For a failure before the answer
    /// began.
    pub fn of_transport_error(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if names(&["certificate", "tls", "unknownissuer"]) {
            Self::Certificate
        } else if names(&["timed out", "timeout"]) {
            Self::TimedOut
        } else if names(&["httpprotocolerror", "connectionterminated", "httpresponseincomplete"]) {
            Self::CutOff
        } else {
            Self::Unreachable
        }
    }

    /// The last part of the problem's type (RFC 9457).
    pub const fn slug(self) -> &'static str {
        self.description().slug
    }

    /// The status with which an app answers its own client.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::RateLimited | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        }
    }

    /// What the operator can do, naming the app's variables.
    pub const fn hint(self) -> &'static str {
        self.description().hint
    }

    /// What a visitor may know, in whole sentences: neither an address nor a word of the server's.
    pub const fn for_visitor(self) -> &'static str {
        self.description().visitor
    }

    /// Whether asking the same again later may help.
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::CutOff | Self::Unreachable | Self::TimedOut
        )
    }

    /// What the server did: follows "the model server at … ".
    pub(crate) const fn predicate(self) -> &'static str {
        self.description().predicate
    }

    const fn description(self) -> Description {
        let (slug, predicate, hint, visitor) = match self {
            Self::Token => (
                "model-token-refused",
                "refused the token",
                "set the variable `model_token` to a token that is valid for this server",
                "The model server does not accept the app's token. The app's log has the details.",
            ),
            Self::UnknownModel => (
                "model-unknown",
                "does not know the model",
                "set the variable `model` to the name of a model that the server lists",
                "The model server does not know the app's model. The app's log has the details.",
            ),
            Self::WrongPath => (
                "model-path-wrong",
                "has nothing at this path",
                "set the variable `model_path` to the path that comes before /chat/completions on this server, such as /v1 \
                 or /openai/v1",
                "The model server has nothing at the address that the app uses. The app's log has the details.",
            ),
            Self::RateLimited => (
                "model-rate-limited",
                "received too many requests",
                "wait, ask less at once, or raise the account's limit",
                "The model server is receiving too many requests. Try again later.",
            ),
            Self::Overloaded => (
                "model-overloaded",
                "is overloaded or failing",
                "try again later; see the model server's own log",
                "The model server is overloaded or failing. Try again later.",
            ),
            Self::NotTheProtocol => (
                "model-protocol",
                "does not answer in OpenAI's chat protocol",
                "check that the variables `model_server` and `model_path` lead to an OpenAI-compatible server",
                "The server that answered is not a compatible model server. The app's log has the details.",
            ),
            Self::CutOff => (
                "model-answer-cut-off",
                "broke off its answer",
                "try again; if it keeps happening, see the model server's own log",
                "The model server broke off its answer. Try again.",
            ),
            Self::TooLarge => (
                "model-answer-too-large",
                "sent an answer of more than 1 MiB",
                "check that the variable `model_server` names a model server, and that it obeys `max_tokens`",
                "The model server's answer was too long. The app's log has the details.",
            ),
            Self::Unreachable => (
                "model-unreachable",
                "cannot be reached",
                "check that the model server is running and that the variable `model_server` is right",
                "The model server cannot be reached. Try again later.",
            ),
            Self::Certificate => (
                "model-certificate",
                "has an untrusted certificate, or no TLS",
                "for a private certificate authority, set SSL_CERT_FILE to a file with its certificate; \
                 for a server without TLS, start `model_server` with http://",
                "The model server's certificate is not trusted. The app's log has the details.",
            ),
            Self::TimedOut => (
                "model-timeout",
                "did not answer in time",
                "raise the variable `model_timeout`, or use a faster model",
                "The model did not answer in time. Try again later.",
            ),
            Self::NoAnswer => (
                "model-no-answer",
                "gave no answer within the limit of tokens",
                "raise the variable `max_tokens`, or turn the model's reasoning off",
                "The model reached its limit of tokens before it answered. The app's log has the details.",
            ),
            Self::RefusedParameters => (
                "model-parameters-refused",
                "refused the question's parameters",
                "the server's message says which it accepts; use another model, or a proxy that drops the others",
                "The model server refused the parameters of the app's question. The app's log has the details.",
            ),
            Self::Refused => (
                "model-refused",
                "refused the question",
                "the server's message says why: the prompt may be too long for the model, or the account out of credit",
                "The model server refused the question. The app's log has the details.",
            ),
        };
        Description { slug, predicate, hint, visitor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own() {
        for (index, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(FailureKind::from_slug(kind.slug()), Some(kind));
            assert!(kind.slug().starts_with("model-"));
            assert!(kind.status().is_server_error());
            assert!(kind.for_visitor().ends_with('.') && !kind.hint().ends_with('.'), "{kind:?}");
            let tells_to_retry = kind.for_visitor().contains("Try again");
            assert_eq!(tells_to_retry, kind.is_temporary(), "{kind:?}");
            for other in &FailureKind::ALL[index + 1..] {
                assert_ne!(kind.for_visitor(), other.for_visitor());
                assert_ne!(kind.predicate(), other.predicate());
            }
        }
        assert_eq!(FailureKind::from_slug("model"), None);
    }

    #[test]
    fn kinds_of_transport_errors() {
        for (text, kind) in [
            ("tcp connect error: Connection refused (os error 111)", FailureKind::Unreachable),
            ("failed to lookup address information", FailureKind::Unreachable),
            ("ErrorCode::DestinationIpProhibited", FailureKind::Unreachable),
            ("invalid peer certificate: UnknownIssuer", FailureKind::Certificate),
            ("ErrorCode::TlsProtocolError", FailureKind::Certificate),
            ("operation timed out", FailureKind::TimedOut),
            ("ErrorCode::ConnectionReadTimeout", FailureKind::TimedOut),
            ("ErrorCode::ConnectionRefused", FailureKind::Unreachable),
            ("ErrorCode::HttpProtocolError", FailureKind::CutOff),
            ("ErrorCode::ConnectionTerminated", FailureKind::CutOff),
        ] {
            assert_eq!(FailureKind::of_transport_error(text), kind, "{text}");
        }
    }
}

//! What went wrong, for a person: `application/problem+json` (RFC 9457).

use crate::respond::{self, Response};
use crate::store;
use serde::Serialize;
use spin_sdk::http::StatusCode;

/// An answer other than success. The detail says what was wrong and what to do about it.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    header: Option<(&'static str, String)>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// A problem of this status.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    /// The request cannot be read.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The store behind a label failed.
    pub(crate) fn store(label: &str, error: store::Error) -> Self {
        use store::Error::{Denied, Failed, Full, TooLarge, Unknown};
        let (status, detail) = match error {
            Unknown => (
                StatusCode::NOT_FOUND,
                format!("No store is linked to the label {label:?}: link one in the runtime configuration."),
            ),
            Denied => (
                StatusCode::FORBIDDEN,
                format!(
                    "The label {label:?} is not granted to this component: add it to its `key_value_stores` in \
                     spin.toml."
                ),
            ),
            Full => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too many stores are open at once: try again.".to_owned())
            }
            TooLarge(detail) => (StatusCode::INSUFFICIENT_STORAGE, detail),
            Failed(message) => {
                (StatusCode::INTERNAL_SERVER_ERROR, format!("The store behind {label:?} failed: {message}"))
            }
        };
        Self::new(status, detail)
    }

    /// The same problem with a header of the answer.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    /// The answer's status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = Body { r#type: "about:blank", title, status: self.status.as_u16(), detail: &self.detail };
        let response = respond::json_as("application/problem+json", self.status, &body);
        match self.header {
            Some((name, value)) => respond::with_header(response, name, &value),
            None => response,
        }
    }
}

//! Problems as answers (RFC 9457).

use std::borrow::Cow;

use http::{HeaderValue, Method, Response, StatusCode};
use serde::{Serialize, Serializer};

use crate::answer;

/// Why a request is not answered, and what to do about it. It goes to the client: what is for the log goes there.
#[derive(Debug, Eq, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem with a status and a detail.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), allow: None }
    }

    /// The request is not one that can be answered.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The route has other methods.
    pub fn method(method: &Method, allowed: &'static str) -> Self {
        let detail = format!("This path does not take {method}, but {allowed}.");
        Self { allow: Some(allowed), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    pub(crate) fn unwritable(error: &serde_json::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The answer cannot be written as JSON: {error}."),
        )
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong and what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer.
    pub fn into_response(self) -> Response<String> {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = answer::whole(self.status, "application/problem+json", body);
        if let Some(allowed) = self.allow {
            response.headers_mut().insert("allow", HeaderValue::from_static(allowed));
        }
        response
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The members that RFC 9457 defines.
        #[derive(Serialize)]
        struct Members<'p> {
            r#type: &'static str,
            title: Option<&'static str>,
            status: u16,
            detail: &'p str,
        }

        let title = self.status.canonical_reason();
        Members { r#type: "about:blank", title, status: self.status.as_u16(), detail: &self.detail }
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_an_answer() {
        let response = Problem::method(&Method::PUT, "POST, OPTIONS").into_response();
        assert_eq!(response.status(), 405);
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("content-type"), Some("application/problem+json"));
        assert_eq!(header("content-length"), Some(response.body().len().to_string().as_str()));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("allow"), Some("POST, OPTIONS"));
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": "Method Not Allowed",
            "status": 405,
            "detail": "This path does not take PUT, but POST, OPTIONS.",
        });
        assert_eq!(body, expected);
    }
}

//! Problem details for HTTP APIs (RFC 9457): what every part of the app answers when it cannot do what it was asked.
//!
//! ```
//! # use {http::StatusCode, problem::Problem};
//! let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The model is busy. Try again in a second.");
//! let response = busy.with_header("retry-after", "1").into_response();
//! assert_eq!(response.headers()["content-type"], problem::CONTENT_TYPE);
//! ```

use std::borrow::Cow;

use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::{Serialize, Serializer};

/// The media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What the type of a problem begins with, unless it is `about:blank`.
pub const TYPE_PREFIX: &str = "urn:problem-type:";

/// Why a request failed, and what to do about it. It goes to the client; what only an operator should know belongs in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: Cow<'static, str>,
    headers: Vec<(&'static str, HeaderValue)>,
}

impl Problem {
    /// A problem with a status and a sentence that a person can act on.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind: None, detail: detail.into(), headers: Vec::new() }
    }

    /// 400: the request is not valid.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 500: something failed that the client cannot change.
    pub fn internal(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// 503: something that the app needs is away, and will be back: try again in a second.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_header("retry-after", "1")
    }

    /// 405: the resource has other methods, `allowed`, in the form of an `Allow` header: `"GET, HEAD"`.
    pub fn method_not_allowed(method: &Method, allowed: &str) -> Self {
        let alternatives = match allowed.rsplit_once(", ") {
            Some((others, last)) => &format!("{others} or {last}"),
            None => allowed,
        };
        let detail = format!("{method} is not allowed; use {alternatives}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, detail).with_header("allow", allowed)
    }

    /// The same problem with a type of its own, [`TYPE_PREFIX`] and `kind`: a few words joined by hyphens, which are its title too.
    #[must_use]
    pub const fn with_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same problem with a header of its response, whose name is in lower case. A value that no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What went wrong and what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The response: never cached, its type never guessed.
    pub fn into_response(self) -> Response<String> {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let length = body.len().into();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CONTENT_LENGTH, length);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// The members that RFC 9457 defines.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'p> {
            r#type: &'p str,
            title: &'p str,
            status: u16,
            detail: &'p str,
        }

        // `about:blank` says that there is no more to the problem than its status, whose phrase is then the title.
        let (r#type, title) = match self.kind {
            None => ("about:blank", self.status.canonical_reason().unwrap_or("Error")),
            Some(kind) => (&*format!("{TYPE_PREFIX}{kind}"), &*kind.replace('-', " ")),
        };
        Members { r#type, title, status: self.status.as_u16(), detail: &self.detail }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_a_response() {
        let unavailable = Problem::unavailable("It is away.").into_response();
        assert_eq!(
            (unavailable.status().as_u16(), &unavailable.headers()["retry-after"]),
            (503, &HeaderValue::from_static("1"))
        );

        let problem = Problem::internal("It broke.").with_header("retry-after", "1").with_header("x", "\n");
        let response = problem.into_response();
        assert_eq!(response.status(), 500);
        let expected = [
            ("content-type", "application/problem+json"),
            ("content-length", "88"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("retry-after", "1"),
        ];
        assert_eq!(response.headers().len(), expected.len());
        for (name, value) in expected {
            assert_eq!(response.headers()[name], value, "{name}");
        }
        assert_eq!(
            response.body(),
            r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"It broke."}"#
        );
    }

    #[test]
    fn other_methods_are_named() {
        for (allowed, alternatives) in [
            ("POST", "use POST."),
            ("GET, HEAD", "use GET or HEAD."),
            ("GET, HEAD, OPTIONS", "use GET, HEAD or OPTIONS."),
        ] {
            let problem = Problem::method_not_allowed(&Method::PUT, allowed);
            assert_eq!(problem.detail(), format!("PUT is not allowed; {alternatives}"));
            assert_eq!(problem.into_response().headers()["allow"], allowed);
        }
    }

    #[test]
    fn a_problem_may_have_a_type_of_its_own() {
        let problem = Problem::internal("Wait.").with_kind("model-rate-limited");
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"urn:problem-type:model-rate-limited","title":"model rate limited","status":500,"detail":"Wait."}"#
        );
    }
}

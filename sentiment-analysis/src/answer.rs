//! Answers, and problems as answers (RFC 9457).

use std::borrow::Cow;

use serde::Serialize;
use spin_sdk::http::{HeaderValue, Method, Response, StatusCode};

/// An answer of JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Response<String>, Problem> {
    let body = serde_json::to_string(value).map_err(|error| Problem::unwritable(&error))?;
    Ok(response(StatusCode::OK, "application/json", body))
}

/// The answer to OPTIONS.
pub(crate) fn options(allowed: &'static str) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert("allow", HeaderValue::from_static(allowed));
    response
}

/// An answer that is not kept by anybody, whose type is not guessed, and whose length is known, so that it needs no chunks.
fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let length = body.len().into();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert("content-length", length);
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// Why a request is not answered, and what to do about it. It goes to the client: what is for the log goes there.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem with a status and a detail.
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), allow: None }
    }

    /// The request is not one that can be answered.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// No route has this path.
    pub(crate) fn not_found(path: &str) -> Self {
        let detail = format!(
            "There is nothing at `{path}`: send a POST to /api/sentiment-analysis or a GET to /api/variants."
        );
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The route has other methods.
    pub(crate) fn method(method: &Method, allowed: &'static str) -> Self {
        let detail = format!("This path does not take {method}, but {allowed}.");
        Self { allow: Some(allowed), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    fn unwritable(error: &serde_json::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The answer cannot be written as JSON: {error}."),
        )
    }

    /// The status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong and what to do.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<String> {
        /// The members that RFC 9457 defines.
        #[derive(Serialize)]
        struct Body<'p> {
            r#type: &'static str,
            title: Option<&'static str>,
            status: u16,
            detail: &'p str,
        }

        let Self { status, detail, allow } = self;
        let title = status.canonical_reason();
        let body = Body { r#type: "about:blank", title, status: status.as_u16(), detail: &detail };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = response(status, "application/problem+json", body);
        if let Some(allowed) = allow {
            response.headers_mut().insert("allow", HeaderValue::from_static(allowed));
        }
        response
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

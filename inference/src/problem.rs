//! What went wrong, as an answer (RFC 9457).

use spin_sdk::{
    http::{HeaderValue, Method, Response, StatusCode},
    llm::Error,
};

use crate::{MAX_REQUEST_BYTES, json};

/// A failure. Its detail goes to the app's own components, so it may repeat what the host said.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("There is nothing at `{path}`: send a POST to /infer."))
    }

    pub(crate) fn method_not_allowed(method: &Method) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("/infer does not take {method}: send a POST."))
    }

    pub(crate) fn too_large() -> Self {
        let detail = format!("The request is longer than {MAX_REQUEST_BYTES} bytes: shorten the prompt.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(crate) fn cut_off(reason: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("The request's body ended early: {reason}."))
    }

    pub(crate) fn malformed(reason: &str) -> Self {
        let detail = format!(
            "The request is not as expected: {reason}. Send {{\"model\": …, \"prompt\": …}} and, if need be, \
             \"options\" such as {{\"maxTokens\": 6, \"temperature\": 0}}."
        );
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn internal(reason: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("The completion cannot be sent: {reason}."))
    }

    /// What the host said instead of a completion.
    pub(crate) fn model(model: &str, error: Error) -> Self {
        match error {
            Error::InvalidInput(message) if message.contains("does not have access") => {
                Self::new(StatusCode::FORBIDDEN, message)
            }
            Error::InvalidInput(message) => Self::new(StatusCode::BAD_REQUEST, message),
            Error::RuntimeError(message) => Self::new(StatusCode::BAD_GATEWAY, message),
            Error::ModelNotSupported => {
                Self::new(StatusCode::BAD_GATEWAY, format!("The host has no model named `{model}`."))
            }
        }
    }

    fn new(status: StatusCode, detail: String) -> Self {
        Self { status, detail }
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<String> {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = json(self.status, "application/problem+json", body.to_string());
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert("allow", HeaderValue::from_static("POST"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_has_a_status() {
        let no_access =
            "The component does not have access to use 'm'. To give the component access, add 'm' to …";
        let cases = [
            (Error::InvalidInput(no_access.to_owned()), 403, no_access),
            (Error::InvalidInput("no text".to_owned()), 400, "no text"),
            (Error::RuntimeError("request error".to_owned()), 502, "request error"),
            (Error::ModelNotSupported, 502, "The host has no model named `m`."),
        ];
        for (error, status, detail) in cases {
            let problem = Problem::model("m", error);
            assert_eq!((problem.status.as_u16(), problem.detail.as_str()), (status, detail));
        }
    }

    #[test]
    fn an_answer_is_a_problem() {
        let response = Problem::method_not_allowed(&Method::GET).into_response();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["allow"], "POST");
        assert_eq!(response.headers()["content-length"], response.body().len().to_string().as_str());
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!(body["title"], "Method Not Allowed");
    }
}

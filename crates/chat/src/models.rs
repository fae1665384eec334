//! Reading the list of a server's models.

use http::Response;

use crate::completion::Answered;
use crate::{Failure, FailureKind, Server};

impl Server {
    /// The names in the answer to [`models_request`](Self::models_request). A server that does not have the list, as some do not, is a
    /// [`FailureKind::WrongPath`]; it may answer questions anyway.
    pub fn read_models<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Vec<String>, Failure> {
        let answer =
            Answered { server: self, question: None, status: response.status(), headers: response.headers() };
        let body = answer.body(response.body().as_ref())?;
        // `OpenAI` wraps the list in an object, Together does not.
        let Some(list) = body.get("data").unwrap_or(&body).as_array() else {
            return Err(answer.failure(FailureKind::NotTheProtocol, "the answer has no list of models"));
        };
        Ok(list.iter().filter_map(|model| model.get("id")?.as_str()).map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn lists() {
        let server = Server::new("http://h", "", "").unwrap();
        for (status, body, expected) in [
            (200, r#"{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}"#, Ok(vec!["a", "b"])),
            (200, r#"[{"id": "a"}]"#, Ok(vec!["a"])),
            (200, r#"{"data": []}"#, Ok(vec![])),
            (200, r#"{"models": {}}"#, Err(FailureKind::NotTheProtocol)),
            (200, "<html>", Err(FailureKind::NotTheProtocol)),
            (404, r#"{"detail": "Not Found"}"#, Err(FailureKind::WrongPath)),
            (401, "{}", Err(FailureKind::Token)),
        ] {
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let models = server.read_models(&response).map_err(|failure| failure.kind());
            assert_eq!(models, expected.map(|list| list.into_iter().map(str::to_owned).collect()), "{body}");
        }
    }
}

//! Where the model is, and the requests to it.

use std::{error, fmt};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use crate::failure::Redaction;
use crate::{Dialect, Failure, FailureKind, Question};

/// The base path of a server whose `model_path` is not set.
const DEFAULT_PATH: &str = "/v1";

/// What is asked of a server, behind its base path.
const CHAT: &str = "/chat/completions";
const MODELS: &str = "/models";

/// The hosts that take a token in a header of their own.
const AZURE: &str = ".openai.azure.com";

/// A server that speaks the protocol. Its token is in no text that this crate makes, and not in its `Debug`.
#[derive(Clone)]
pub struct Server {
    base: String,
    chat: Uri,
    models: Uri,
    headers: HeaderMap,
    token: String,
}

impl Server {
    /// A server from the app's variables.
    ///
    /// - `model_server`: scheme, host and port, as in `https://api.openai.com` or `http://127.0.0.1:8080`.
    /// - `model_path`: what comes before `/chat/completions`, with a query if need be, as in `/openai/v1` or
    ///   `/openai/deployments/x?api-version=2024-10-21`; `/v1` where it is empty, `/` for none.
    /// - `model_token`: sent as `Authorization: Bearer …`, to Azure as `api-key` too; nothing where it is empty.
    ///
    /// White space around a value does not count.
    pub fn new(model_server: &str, model_path: &str, model_token: &str) -> Result<Self, InvalidVariable> {
        let origin = Origin::parse(model_server.trim())?;
        let (path, query) = base_path(model_path.trim())?;
        let base = format!("{}{path}", origin.text);
        let url = |resource: &str| {
            let url = format!("{base}{resource}{query}");
            url.parse::<Uri>().map_err(|_| InvalidVariable::path("it has a character that a URL cannot have"))
        };
        let token = model_token.trim();
        Ok(Self {
            chat: url(CHAT)?,
            models: url(MODELS)?,
            headers: headers(&origin, token)?,
            token: token.to_owned(),
            base,
        })
    }

    /// The address in front of `/chat/completions`, without a query, as messages show it.
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Whether it is sent a token.
    pub fn has_token(&self) -> bool {
        !self.token.is_empty()
    }

    /// The request that asks a question.
    pub fn chat_request(&self, question: &Question, dialect: Dialect) -> Request<String> {
        let body = question.body(dialect);
        let length = body.len().into();
        let mut request = self.request(Method::POST, &self.chat, body);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, length);
        request
    }

    /// The request for the list of models.
    pub fn models_request(&self) -> Request<String> {
        self.request(Method::GET, &self.models, String::new())
    }

    /// The failure to get an answer, for a `reason` that the transport gave. It may name the server and repeat the token,
    /// which is taken out.
    pub fn failure(&self, kind: FailureKind, reason: &str) -> Failure {
        Failure::new(kind, self, &self.redaction(""), reason)
    }

    /// What must not be in a message: the token and, where there is one, the prompt.
    pub(crate) fn redaction<'t>(&'t self, prompt: &'t str) -> Redaction<'t> {
        Redaction { token: &self.token, prompt }
    }

    fn request(&self, method: Method, url: &Uri, body: String) -> Request<String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.base).finish_non_exhaustive()
    }
}

/// Scheme, host and port.
struct Origin {
    text: String,
    is_azure: bool,
}

impl Origin {
    fn parse(text: &str) -> Result<Self, InvalidVariable> {
        let invalid = InvalidVariable::server;
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid("it has no scheme: start it with https:// or http://"));
        };
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(invalid("its scheme is neither https nor http"));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(invalid("it has a user name or a password: put the token in `model_token`"));
        }
        if authority.contains(['/', '?', '#']) {
            return Err(invalid("it has more than scheme, host and port: put the path in `model_path`"));
        }
        if authority.contains('*') {
            return Err(invalid("it names no single host: a wildcard is not allowed"));
        }
        let text = format!("{}://{authority}", scheme.to_ascii_lowercase());
        let uri: Uri = text.parse().map_err(|_| invalid("it names no valid host"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| invalid("it names no host"))?;
        if authority.len() > host.len() && uri.port_u16().is_none_or(|port| port == 0) {
            return Err(invalid("its port is not a number from 1 to 65535"));
        }
        let is_azure = host.to_ascii_lowercase().ends_with(AZURE);
        Ok(Self { text, is_azure })
    }
}

/// The path without a slash at its end, and the query with its question mark.
fn base_path(text: &str) -> Result<(&str, &str), InvalidVariable> {
    let text = if text.is_empty() { DEFAULT_PATH } else { text };
    if !text.starts_with('/') {
        return Err(InvalidVariable::path("it does not start with `/`: write a path such as /v1"));
    }
    if text.contains('#') {
        return Err(InvalidVariable::path("it has a fragment (`#`)"));
    }
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let path = path.trim_end_matches('/');
    if path.ends_with(CHAT) {
        return Err(InvalidVariable::path(
            "it ends with /chat/completions, which is added to it: leave that out",
        ));
    }
    Ok((path, query))
}

/// The headers of every request.
fn headers(origin: &Origin, token: &str) -> Result<HeaderMap, InvalidVariable> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if !token.is_empty() {
        headers.insert(AUTHORIZATION, secret(&format!("Bearer {token}"))?);
        if origin.is_azure {
            headers.insert(HeaderName::from_static("api-key"), secret(token)?);
        }
    }
    Ok(headers)
}

/// A header that is not shown in `Debug`.
fn secret(value: &str) -> Result<HeaderValue, InvalidVariable> {
    let invalid = || InvalidVariable {
        variable: "model_token",
        reason: "it has a character that a header cannot have: copy it again, without line breaks",
    };
    // Beyond ASCII, servers disagree on what the bytes mean.
    if !value.is_ascii() {
        return Err(invalid());
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
    value.set_sensitive(true);
    Ok(value)
}

/// A variable that does not say where the model is, and why. The value is not repeated: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub reason: &'static str,
}

impl InvalidVariable {
    const fn server(reason: &'static str) -> Self {
        Self { variable: "model_server", reason }
    }

    const fn path(reason: &'static str) -> Self {
        Self { variable: "model_path", reason }
    }
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not valid: {}", self.variable, self.reason)
    }
}

impl error::Error for InvalidVariable {}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question =
        Question { model: "m", prompt: "p", max_tokens: 6, temperature: 0.0, seed: None };

    #[test]
    fn urls() {
        let azure = "https://x.openai.azure.com/openai/deployments/gpt";
        let cases = [
            ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080/v1", ""),
            (" http://[::1]:80/ ", " /v1/ ", "http://[::1]:80/v1", ""),
            ("HTTPS://api.openai.com", "/v1", "https://api.openai.com/v1", ""),
            ("https://api.groq.com", "/openai/v1", "https://api.groq.com/openai/v1", ""),
            ("http://h", "/", "http://h", ""),
            ("http://h", "/a//", "http://h/a", ""),
            ("http://h", "/?key=1", "http://h", "?key=1"),
            (
                "https://x.openai.azure.com",
                "/openai/deployments/gpt?api-version=2024-10-21",
                azure,
                "?api-version=2024-10-21",
            ),
        ];
        for (origin, path, address, query) in cases {
            let server = Server::new(origin, path, "").unwrap();
            assert_eq!(server.address(), address);
            let chat = server.chat_request(&QUESTION, Dialect::default());
            assert_eq!(chat.uri().to_string(), format!("{address}/chat/completions{query}"));
            assert_eq!(server.models_request().uri().to_string(), format!("{address}/models{query}"));
        }
    }

    #[test]
    fn variables_that_cannot_be_used() {
        let server = [
            ("", "it is empty"),
            ("api.openai.com", "it has no scheme: start it with https:// or http://"),
            ("127.0.0.1:8080", "it has no scheme: start it with https:// or http://"),
            ("ftp://h", "its scheme is neither https nor http"),
            (
                "https://api.openai.com/v1",
                "it has more than scheme, host and port: put the path in `model_path`",
            ),
            ("http://h?a", "it has more than scheme, host and port: put the path in `model_path`"),
            ("http://me:secret@h", "it has a user name or a password: put the token in `model_token`"),
            ("http://*:80", "it names no single host: a wildcard is not allowed"),
            ("http://", "it names no valid host"),
            ("http://:80", "it names no host"),
            ("http://a b", "it names no valid host"),
            ("http://h:99999", "its port is not a number from 1 to 65535"),
            ("http://h:0", "its port is not a number from 1 to 65535"),
            ("http://h:", "its port is not a number from 1 to 65535"),
        ]
        .map(|(text, reason)| ([text, "", ""], "model_server", reason));
        let path = [
            ("v1", "it does not start with `/`: write a path such as /v1"),
            ("https://h/v1", "it does not start with `/`: write a path such as /v1"),
            ("/v1#a", "it has a fragment (`#`)"),
            ("/a b", "it has a character that a URL cannot have"),
            ("/v1/chat/completions", "it ends with /chat/completions, which is added to it: leave that out"),
        ]
        .map(|(text, reason)| (["http://h", text, ""], "model_path", reason));
        let reason = "it has a character that a header cannot have: copy it again, without line breaks";
        let token = ["two\nlines", "schlüssel"].map(|text| (["http://h", "", text], "model_token", reason));
        for ([server, path, token], variable, reason) in server.into_iter().chain(path).chain(token) {
            let error = Server::new(server, path, token).unwrap_err();
            assert_eq!(error, InvalidVariable { variable, reason }, "{server:?} {path:?} {token:?}");
        }
    }

    #[test]
    fn a_token_is_sent_and_never_shown() {
        for (host, token, authorization, api_key) in [
            ("http://h", "", None, None),
            ("http://h", " secret-key\n", Some("Bearer secret-key"), None),
            ("https://x.openai.azure.com", "secret-key", Some("Bearer secret-key"), Some("secret-key")),
            ("https://x.OpenAI.Azure.com:443", "secret-key", Some("Bearer secret-key"), Some("secret-key")),
            ("https://openai.azure.com.example.org", "secret-key", Some("Bearer secret-key"), None),
        ] {
            let server = Server::new(host, "", token).unwrap();
            assert_eq!(server.has_token(), authorization.is_some());
            for request in [server.chat_request(&QUESTION, Dialect::default()), server.models_request()] {
                let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap());
                assert_eq!((header("authorization"), header("api-key")), (authorization, api_key), "{host}");
                assert!(!format!("{request:?}{server:?}").contains("secret-key"), "{request:?} {server:?}");
            }
        }
    }

    #[test]
    fn a_request() {
        let request = Server::new("http://h", "", "").unwrap().chat_request(&QUESTION, Dialect::default());
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["content-length"], request.body().len().to_string().as_str());
    }
}

//! A model server that speaks OpenAI's chat protocol, asked as the component `inference` asks it.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chat::{Completion, Dialect, Failure, FailureKind, MAX_ANSWER_BYTES, Question, Server};
use http::{Request, Response};
use http_client::{Error, HttpClient};
use spin_app::Manifest;
use spin_app::variables::Providers;

use crate::terminal::failure;

/// Where the variables `model_server`, `model_path` and `model_token` say that the model is: `None` where the first is empty, or the
/// app has none. A token that is given comes before that of the app.
///
/// # Errors
///
/// A variable's value cannot be used.
pub(crate) fn configured(
    app: &Manifest,
    variables: &Providers,
    token: Option<&str>,
) -> anyhow::Result<Option<Server>> {
    let value = |name| variables.value(app, name).unwrap_or_default();
    let address = value("model_server");
    if address.trim().is_empty() {
        return Ok(None);
    }
    let token = token.map_or_else(|| value("model_token"), str::to_owned);
    let server = Server::new(&address, &value("model_path"), &token).map_err(|error| {
        let name = error.variable.to_ascii_uppercase();
        let hint = format!("set it in spin.toml, or with SPIN_VARIABLE_{name} in the environment");
        failure(format!("the variable {error}")).hint(hint)
    })?;
    Ok(Some(server))
}

/// A server, and how it wants to be asked.
#[derive(Debug)]
pub(crate) struct ModelServer {
    server: Server,
    limit: Duration,
    /// Made where it is first used, as the runtime there drives its connections.
    client: OnceCell<HttpClient>,
    /// What the server was last seen to take; nothing before its first answer.
    dialect: Cell<Option<Dialect>>,
}

impl ModelServer {
    /// A server that may take `limit` for one answer.
    pub(crate) const fn new(server: Server, limit: Duration) -> Self {
        Self { server, limit, client: OnceCell::new(), dialect: Cell::new(None) }
    }

    /// Whether it is sent a token.
    pub(crate) fn has_token(&self) -> bool {
        self.server.has_token()
    }

    /// The form in which it last gave an answer.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.dialect.get()
    }

    /// Asks the server, again in another form where it refuses one, all within the limit of time.
    ///
    /// # Errors
    ///
    /// It gives no answer.
    pub(crate) async fn ask(&self, question: &Question<'_>) -> Result<Completion, Failure> {
        self.in_time(async {
            let mut dialect = self.dialect.get().unwrap_or_default();
            loop {
                let response = self.send(self.server.chat_request(question, dialect)).await?;
                match self.server.read_completion(question, &response) {
                    Ok(completion) => {
                        self.dialect.set(Some(dialect));
                        return Ok(completion);
                    }
                    Err(failure) => dialect = dialect.after_refusal(&failure).ok_or(failure)?,
                }
            }
        })
        .await
    }

    /// The names of the server's models.
    ///
    /// # Errors
    ///
    /// It has no such list, or does not answer.
    pub(crate) async fn models(&self) -> Result<Vec<String>, Failure> {
        self.in_time(async {
            let response = self.send(self.server.models_request()).await?;
            self.server.read_models(&response)
        })
        .await
    }

    async fn in_time<T>(&self, asking: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let started = Instant::now();
        tokio::time::timeout(self.limit, asking).await.unwrap_or_else(|_| {
            let reason = format!("{} ms", started.elapsed().as_millis());
            Err(self.server.failure(FailureKind::TimedOut, &reason))
        })
    }

    async fn send(&self, request: Request<String>) -> Result<Response<Bytes>, Failure> {
        let client = self.client.get_or_init(HttpClient::new);
        client.exchange(request, self.limit, MAX_ANSWER_BYTES).await.map_err(|error| {
            let kind = match &error {
                Error::TooLarge(_) => FailureKind::TooLarge,
                Error::Broken(_) => FailureKind::CutOff,
                Error::Tls(_) => FailureKind::Certificate,
                Error::ConnectTimeout(_) | Error::ResponseTimeout(_) | Error::BodyTimeout(_) => {
                    FailureKind::TimedOut
                }
                _ => FailureKind::Unreachable,
            };
            self.server.failure(kind, &error.to_string())
        })
    }
}

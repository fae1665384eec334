//! A model server that speaks OpenAI's chat protocol, asked over outbound HTTP.
//!
//! While an instance waits for it, the instance answers others: unlike Spin's model interface, this holds nothing.

use std::{
    cell::Cell,
    pin::pin,
    time::{Duration, Instant},
};

use api::inference::{Completion, InferenceRequest, TokenUsage};
use chat::{Dialect, Failure, FailureKind, InvalidVariable, MAX_ANSWER_BYTES, Question, Server};
use futures::future::{Either, select};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use spin_sdk::{
    http::{self, Request, Response},
    time::sleep,
    variables,
};

/// Spin's own default, for a request that does not limit the tokens.
const MAX_TOKENS: u32 = 100;

/// The time for an answer where the request does not limit it.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The server of the variables `model_server`, `model_path` and `model_token`, and how it wants to be asked.
pub(crate) struct ModelServer {
    server: Server,
    /// What it was last seen to take; learnt from its refusals.
    dialect: Cell<Dialect>,
}

impl ModelServer {
    /// `None` where `model_server` is empty, or the app does not give this component the variable.
    pub(crate) async fn of_variables() -> Result<Option<Self>, InvalidVariable> {
        let [server, path, token] = ["model_server", "model_path", "model_token"];
        let server = variable(server).await;
        if server.trim().is_empty() {
            return Ok(None);
        }
        let server = Server::new(&server, &variable(path).await, &variable(token).await)?;
        Ok(Some(Self { server, dialect: Cell::new(Dialect::new()) }))
    }

    /// Asks the server, again in another form where it refuses one, all within the request's time. An answer that comes too late
    /// is not waited for: its connection is closed.
    pub(crate) async fn complete(&self, request: &InferenceRequest<'_>) -> Result<Completion, Failure> {
        let options = &request.options;
        let question = Question {
            model: &request.model,
            prompt: &request.prompt,
            max_tokens: options.max_tokens.unwrap_or(MAX_TOKENS),
            temperature: options.temperature.unwrap_or_default(),
            seed: Some(options.seed.unwrap_or(Question::SEED)),
        };
        let limit = options.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
        let started = Instant::now();
        match select(pin!(self.ask(&question)), pin!(sleep(limit))).await {
            Either::Left((completion, _)) => completion,
            Either::Right(((), _)) => {
                let reason = format!("{} ms", started.elapsed().as_millis());
                Err(self.server.failure(FailureKind::TimedOut, &reason))
            }
        }
    }

    async fn ask(&self, question: &Question<'_>) -> Result<Completion, Failure> {
        let mut dialect = self.dialect.get();
        loop {
            let response = self.send(self.server.chat_request(question, dialect)).await?;
            match self.server.read_completion(question, &response) {
                Ok(completion) => {
                    self.dialect.set(dialect);
                    let usage = TokenUsage {
                        prompt_token_count: completion.prompt_tokens,
                        generated_token_count: completion.generated_tokens,
                    };
                    return Ok(Completion { text: completion.text, usage });
                }
                Err(failure) => dialect = dialect.after_refusal(&failure).ok_or(failure)?,
            }
        }
    }

    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, Failure> {
        let response = http::send(request).await.map_err(|error| {
            let reason = format!("{error}");
            self.server.failure(FailureKind::of_transport_error(&reason), &reason)
        })?;
        let (head, body) = response.into_parts();
        match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes().into())),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(self.server.failure(FailureKind::TooLarge, ""))
            }
            Err(error) => Err(self.server.failure(FailureKind::CutOff, &error.to_string())),
        }
    }
}

/// A variable that the component may not have.
async fn variable(name: &str) -> String {
    variables::get(name).await.unwrap_or_default()
}

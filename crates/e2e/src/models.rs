//! The model servers to test with: the scripted one always, real ones where there are any.
//!
//! - `AB_E2E_MODEL_PYTHON` names a Python in which `crates/e2e/real-model/serve.py` can run real servers: tests start each that is
//!   installed there, as they want it.
//! - `AB_E2E_MODEL_SERVER` is the address of a real server that runs already, and `AB_E2E_MODEL` its model's name. It is used where any
//!   server will do.

mod busy;
mod real;

use std::env;
use std::time::Duration;

use crate::app::{App, AppBuilder, FIRST, MODEL};
use crate::model_server::{ModelServer, Reply};
use crate::process::Process;

/// So many tokens take a [slow](Wanted::slow) model longer than any test waits.
pub const ENDLESS_TOKENS: &str = "12000";

/// How a server is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The token without which it refuses.
    pub token: Option<&'static str>,
    /// What comes before `/v1` in its path.
    pub path: Option<&'static str>,
    /// How many tokens a prompt and its answer may have. A scripted one does not count them.
    pub context: Option<u32>,
    /// Whether an answer of [`ENDLESS_TOKENS`] never comes. A scripted one has to be [told](Model::never_answer).
    pub slow: bool,
}

/// A model server, scripted or real.
#[derive(Debug)]
pub struct Model {
    kind: String,
    url: String,
    name: String,
    wanted: Wanted,
    /// `None` while it is stopped.
    server: Option<Server>,
}

#[derive(Debug)]
enum Server {
    Scripted(ModelServer),
    #[expect(dead_code, reason = "the process ends with it")]
    Started(Process),
    /// Nobody can stop it here.
    Running,
}

/// Every model server there is, as it comes.
pub fn models() -> Vec<Model> {
    let mut models = models_with(Wanted::default());
    if let Ok(url) = env::var("AB_E2E_MODEL_SERVER") {
        let name = env::var("AB_E2E_MODEL").unwrap_or_else(|_| MODEL.to_owned());
        let (kind, wanted) = (format!("the server at {url}"), Wanted::default());
        models.push(Model { kind, url, name, wanted, server: Some(Server::Running) });
    }
    models
}

/// Every model server that can be so.
pub fn models_with(wanted: Wanted) -> Vec<Model> {
    let scripted = Model::scripted_by(ModelServer::start().unwrap(), wanted);
    [scripted].into_iter().chain(real_models(wanted)).collect()
}

/// Every real model server that can be so.
pub fn real_models(wanted: Wanted) -> Vec<Model> {
    let kinds = real::kinds().iter().filter(|kind| real::can_be(kind, wanted));
    let models: Vec<_> = kinds.map(|kind| Model::real(kind, wanted)).collect();
    if models.is_empty() {
        eprintln!(
            "no real model server: AB_E2E_MODEL_PYTHON names no Python with one that can be {wanted:?}"
        );
    }
    models
}

impl Model {
    /// A scripted server, which is to be as wanted from now on.
    pub fn scripted_by(server: ModelServer, wanted: Wanted) -> Self {
        if let Some(token) = wanted.token {
            server.require_token(token);
        }
        if let Some(path) = wanted.path {
            server.serve_below(&format!("{path}/v1"));
        }
        let (kind, url, name) = ("scripted".to_owned(), server.url(), MODEL.to_owned());
        Self { kind, url, name, wanted, server: Some(Server::Scripted(server)) }
    }

    fn real(kind: &str, wanted: Wanted) -> Self {
        let (process, url) = real::start(kind, wanted, None);
        let (kind, name) = (kind.to_owned(), MODEL.to_owned());
        Self { kind, url, name, wanted, server: Some(Server::Started(process)) }
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The address, as the variable `model_server`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of its model.
    pub fn model(&self) -> &str {
        &self.name
    }

    /// The server, where it is the scripted one and runs.
    pub fn scripted(&self) -> Option<&ModelServer> {
        match &self.server {
            Some(Server::Scripted(server)) => Some(server),
            _ => None,
        }
    }

    /// The app that asks it, with the first variant alone.
    pub fn app(&self) -> AppBuilder {
        App::builder()
            .variable("model_server", &self.url)
            .variable("model", &self.name)
            .variable("variants", FIRST)
    }

    /// Keeps a scripted server from answering. A real one has to be [slow](Wanted::slow).
    pub fn never_answer(&self) {
        if let Some(server) = self.scripted() {
            server.answer_with(Reply::from("neutral").after(Duration::from_hours(1)));
        }
    }

    /// Whether it is at work on an answer.
    pub async fn is_busy(&self) -> bool {
        match self.scripted() {
            Some(server) => server.in_flight() > 0,
            None => busy::is_busy(&self.kind, &self.url).await,
        }
    }

    /// How long to leave it alone between two looks at what it does. llama.cpp's server notices that nobody waits for an answer only
    /// where it has nothing to say to anybody for a second.
    pub fn rest(&self) -> Duration {
        Duration::from_millis(if self.kind == real::LLAMA_SERVER { 3000 } else { 10 })
    }

    /// Whether it ends its work when nobody waits for it any more.
    pub fn ends_abandoned_work(&self) -> bool {
        self.kind != real::LLAMA_CPP_PYTHON
    }

    /// Ends the server at once, whatever it is doing.
    pub fn stop(&mut self) {
        assert!(!matches!(self.server, Some(Server::Running)), "{} was not started here", self.kind);
        self.server = None;
    }

    /// Starts it again at its address.
    pub fn start_again(&mut self) {
        let address = self.url.rsplit_once('/').unwrap().1.parse().unwrap();
        self.server = Some(if self.kind == "scripted" {
            Server::Scripted(ModelServer::start_at(address).unwrap())
        } else {
            Server::Started(real::start(&self.kind, self.wanted, Some(address)).0)
        });
    }
}

//! What real model servers refuse or want, and how they fail: for the component, `eval` and `model check` alike.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ModelServer, PENALTIES, Reply};
use crate::models::{ENDLESS_TOKENS, Model, Wanted, real_models};

/// Makes a server strict, or lets it fail.
pub type Prepare = fn(&ModelServer) -> &ModelServer;

/// A server that answers once it is asked as it wants.
#[derive(Debug)]
pub struct StrictServer {
    /// What it refuses or wants.
    pub name: &'static str,
    prepare: Prepare,
    /// The real servers that are so.
    real: Option<Wanted>,
    /// The app's variables for it, besides its address.
    pub variables: &'static [(&'static str, &'static str)],
    /// How often it is asked before it answers the first question.
    pub times: usize,
    /// What it is asked with in the end.
    pub parameters: Value,
}

/// A server that gives no answer.
#[derive(Debug)]
pub struct FailingServer {
    /// What it does.
    pub name: &'static str,
    prepare: Prepare,
    /// The real servers that do it.
    real: Option<Wanted>,
    /// The app's variables for it, besides its address and token.
    pub variables: &'static [(&'static str, &'static str)],
    /// How many seconds it has for an answer.
    pub patience: &'static str,
    /// The kind of failure, as in a problem's type.
    pub kind: &'static str,
    /// A part of what the operator is told.
    pub says: &'static str,
}

impl StrictServer {
    /// The servers that are so: the scripted one first, then real ones.
    pub fn servers(&self) -> Vec<Model> {
        let model = ModelServer::start().unwrap();
        (self.prepare)(model.answer_with("positive"));
        with_real(model, self.real)
    }
}

impl FailingServer {
    /// The servers that do it: the scripted one first, then real ones.
    pub fn servers(&self) -> Vec<Model> {
        let model = ModelServer::start().unwrap();
        (self.prepare)(&model);
        with_real(model, self.real)
    }
}

fn with_real(model: ModelServer, real: Option<Wanted>) -> Vec<Model> {
    let scripted = Model::scripted_by(model, Wanted::default());
    [scripted].into_iter().chain(real.into_iter().flat_map(real_models)).collect()
}

/// Servers that answer whoever asks as they want it: scripted ones with `positive`.
pub fn strict_servers() -> Vec<StrictServer> {
    let usual = || json!({ "max_tokens": 6, "temperature": 0.0, "seed": 0, "stream": false });
    let newer = json!({ "max_completion_tokens": 6, "temperature": 0.0, "seed": 0, "stream": false });
    let unseeded = json!({ "max_tokens": 6, "temperature": 0.0, "stream": false });
    let least = json!({ "max_completion_tokens": 6, "stream": false });
    let others = json!({ "max_tokens": 40, "temperature": 0.5, "seed": 0, "stream": false });
    let base: &[_] = &[("model_path", "/openai/v1")];
    let query: &[_] = &[("model_path", "/deployments/x?api-version=2024-10-21")];
    let settings: &[_] = &[("max_tokens", "40"), ("temperature", "0.5")];
    let any = Some(Wanted::default());
    let below = Some(Wanted { path: Some("/openai"), ..Wanted::default() });
    let token = Some(Wanted { token: Some("right"), ..Wanted::default() });
    let rows: [(_, Prepare, _, &[_], _, _); 12] = [
        ("nothing", |model| model, any, &[], 1, usual()),
        ("penalties", |model| model.refuse(&PENALTIES), None, &[], 1, usual()),
        ("max_tokens", |model| model.refuse(&["max_tokens"]), None, &[], 2, newer),
        ("max_completion_tokens", |model| model.refuse(&["max_completion_tokens"]), None, &[], 1, usual()),
        ("seed", |model| model.refuse(&["seed"]), None, &[], 2, unseeded),
        ("all", |model| model.refuse(&["seed", "temperature", "max_tokens"]), None, &[], 4, least),
        ("other settings", |model| model, any, settings, 1, others),
        ("a base path", |model| model.serve_below("/openai/v1"), below, base, 1, usual()),
        ("a query", versioned, None, query, 1, usual()),
        ("a token", |model| model.require_token("right"), token, &[("model_token", "right")], 1, usual()),
        ("reasoning apart", |model| model.answer_with(reasoning()), None, &[], 1, usual()),
        ("reasoning in the text", |model| model.answer_with(REASONING), None, &[], 1, usual()),
    ];
    let row = |(name, prepare, real, variables, times, parameters)| StrictServer {
        name,
        prepare,
        real,
        variables,
        times,
        parameters,
    };
    rows.map(row).into()
}

/// Servers that fail an app whose token is `my-secret`.
pub fn failing_servers() -> Vec<FailingServer> {
    let token = Some(Wanted { token: Some("other"), ..Wanted::default() });
    let below = Some(Wanted { path: Some("/openai"), ..Wanted::default() });
    let short = Some(Wanted { context: Some(256), ..Wanted::default() });
    let slow = Some(Wanted { slow: true, ..Wanted::default() });
    let endless: &[_] = &[("max_tokens", ENDLESS_TOKENS)];
    let rows: [(_, Prepare, _, _, _); 14] = [
        ("401", |model| model.require_token("other"), token, "token-refused", "refused the token"),
        (
            "403",
            |model| model.answer_with(Reply::Status(403)),
            None,
            "token-refused",
            "variable `model_token`",
        ),
        ("404", |model| model.answer_with(Reply::Status(404)), None, "path-wrong", "variable `model_path`"),
        ("a base path", |model| model.serve_below("/openai/v1"), below, "path-wrong", "(404 Not Found)"),
        ("a model", |model| model.require_model("llama3"), None, "unknown", "know the model `llama2-chat`"),
        (
            "429",
            |model| model.answer_with(Reply::RateLimited(1)),
            None,
            "rate-limited",
            "429 Too Many Requests",
        ),
        (
            "500",
            |model| model.answer_with(Reply::Status(500)),
            None,
            "overloaded",
            "500 Internal Server Error",
        ),
        ("HTML", |model| model.answer_with(Reply::Page), None, "protocol", "it is a page of HTML"),
        (
            "other JSON",
            |model| model.answer_with(Reply::WrongJson),
            None,
            "protocol",
            "no `choices[0].message`",
        ),
        ("cut off", |model| model.answer_with(cut_off()), None, "answer-cut-off", "broke off its answer"),
        ("endless", |model| model.answer_with(Reply::Endless), None, "answer-too-large", "more than 1 MiB"),
        (
            "null",
            |model| model.answer_with(Reply::NoContent),
            None,
            "no-answer",
            "raise the variable `max_tokens`",
        ),
        ("no limit", unlimited, None, "parameters-refused", "'max_completion_tokens' is not"),
        ("400", |model| model.answer_with(Reply::Status(400)), short, "refused", "400 Bad Request"),
    ];
    let row = |(name, prepare, real, kind, says)| FailingServer {
        name,
        prepare,
        real,
        variables: &[],
        patience: "30",
        kind,
        says,
    };
    let late: Prepare = |model| model.answer_with(late());
    let late = row(("late", late, slow, "timeout", "did not answer in time"));
    let late = FailingServer { variables: endless, patience: "1", ..late };
    rows.map(row).into_iter().chain([late]).collect()
}

const REASONING: &str = "<think>It may be negative.</think>\n**Positive**";

fn reasoning() -> Reply {
    Reply::Thinking { reasoning: "It may be negative.".to_owned(), text: "Positive".to_owned() }
}

fn cut_off() -> Reply {
    Reply::CutMidAnswer("positive".to_owned())
}

fn late() -> Reply {
    Reply::from("positive").after(Duration::from_hours(1))
}

fn versioned(model: &ModelServer) -> &ModelServer {
    model.serve_below("/deployments/x").require_query("api-version=2024-10-21")
}

fn unlimited(model: &ModelServer) -> &ModelServer {
    model.refuse(&["max_tokens", "max_completion_tokens"])
}

//! What real model servers refuse or want, and how they fail: for the component, `eval` and `model check` alike.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ModelServer, PENALTIES, Reply};

/// Makes a server strict, or lets it fail.
pub type Prepare = fn(&ModelServer) -> &ModelServer;

/// A server that answers once it is asked as it wants.
#[derive(Debug)]
pub struct StrictServer {
    /// What it refuses or wants.
    pub name: &'static str,
    /// Makes it so.
    pub prepare: Prepare,
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
    /// Makes it so.
    pub prepare: Prepare,
    /// The kind of failure, as in a problem's type.
    pub kind: &'static str,
    /// A part of what the operator is told.
    pub says: &'static str,
}

/// Servers that answer `positive` to whoever asks as they want it, unless `prepare` says otherwise.
pub fn strict_servers() -> Vec<StrictServer> {
    let usual = || json!({ "max_tokens": 6, "temperature": 0.0, "seed": 0, "stream": false });
    let newer = json!({ "max_completion_tokens": 6, "temperature": 0.0, "seed": 0, "stream": false });
    let unseeded = json!({ "max_tokens": 6, "temperature": 0.0, "stream": false });
    let least = json!({ "max_completion_tokens": 6, "stream": false });
    let others = json!({ "max_tokens": 40, "temperature": 0.5, "seed": 0, "stream": false });
    let base: &[_] = &[("model_path", "/openai/v1")];
    let query: &[_] = &[("model_path", "/deployments/x?api-version=2024-10-21")];
    let settings: &[_] = &[("max_tokens", "40"), ("temperature", "0.5")];
    let rows: [(_, Prepare, &[_], _, _); 11] = [
        ("penalties", |model| model.refuse(&PENALTIES), &[], 1, usual()),
        ("max_tokens", |model| model.refuse(&["max_tokens"]), &[], 2, newer),
        ("max_completion_tokens", |model| model.refuse(&["max_completion_tokens"]), &[], 1, usual()),
        ("seed", |model| model.refuse(&["seed"]), &[], 2, unseeded),
        ("all", |model| model.refuse(&["seed", "temperature", "max_tokens"]), &[], 4, least),
        ("other settings", |model| model, settings, 1, others),
        ("a base path", |model| model.serve_below("/openai/v1"), base, 1, usual()),
        ("a query", versioned, query, 1, usual()),
        ("a token", |model| model.require_token("right"), &[("model_token", "right")], 1, usual()),
        ("reasoning apart", |model| model.answer_with(reasoning()), &[], 1, usual()),
        ("reasoning in the text", |model| model.answer_with(REASONING), &[], 1, usual()),
    ];
    let row = |(name, prepare, variables, times, parameters)| StrictServer {
        name,
        prepare,
        variables,
        times,
        parameters,
    };
    rows.map(row).into()
}

/// Servers that fail an app whose token is `my-secret`, and whose patience is short.
pub fn failing_servers() -> Vec<FailingServer> {
    let rows: [(_, Prepare, _, _); 15] = [
        ("401", |model| model.require_token("other"), "token-refused", "[token]"),
        ("403", |model| model.answer_with(Reply::Status(403)), "token-refused", "variable `model_token`"),
        ("404", |model| model.answer_with(Reply::Status(404)), "path-wrong", "variable `model_path`"),
        ("a base path", |model| model.serve_below("/openai/v1"), "path-wrong", "(404 Not Found)"),
        ("a model", |model| model.require_model("llama3"), "unknown", "know the model `llama2-chat`"),
        ("429", |model| model.answer_with(Reply::RateLimited(1)), "rate-limited", "429 Too Many Requests"),
        ("500", |model| model.answer_with(Reply::Status(500)), "overloaded", "500 Internal Server Error"),
        ("HTML", |model| model.answer_with(Reply::Page), "protocol", "it is a page of HTML"),
        ("other JSON", |model| model.answer_with(Reply::WrongJson), "protocol", "no `choices[0].message`"),
        ("cut off", |model| model.answer_with(cut_off()), "answer-cut-off", "broke off its answer"),
        ("endless", |model| model.answer_with(Reply::Endless), "answer-too-large", "more than 1 MiB"),
        ("null", |model| model.answer_with(Reply::NoContent), "no-answer", "raise the variable `max_tokens`"),
        ("no limit", unlimited, "parameters-refused", "'max_completion_tokens' is not"),
        ("400", |model| model.answer_with(Reply::Status(400)), "refused", "400 Bad Request"),
        ("late", |model| model.answer_with(late()), "timeout", "did not answer in time"),
    ];
    rows.map(|(name, prepare, kind, says)| FailingServer { name, prepare, kind, says }).into()
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

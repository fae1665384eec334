//! A help desk asks a model how urgent a ticket is, and wants to know which of two prompts does that better.
//!
//! In `spin.toml` its component has the labels (`key_value_stores = ["plain", "polite", "journal"]`), the model
//! (`ai_models = ["llama2-chat"]`) and a variable `variants`; each variant's store holds a prompt under the key `prompt`.
#![cfg(target_family = "wasm")]

use std::time::{Instant, SystemTime};

use experiment::{
    Answer, Experiment, Key, Prompt, Record,
    analysis::{Observation, Outcomes, Report},
    spin::{Changed, Store, report},
};
use serde::{Deserialize, Serialize};
use spin_sdk::{
    http::{IntoResponse, Method, Request, body::IncomingBodyExt},
    http_service,
    llm::{InferencingModel, infer},
    variables,
};

/// What the model is asked for.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Urgency {
    High,
    Low,
    Unclear,
}

impl Answer for Urgency {
    const FIELD: &'static str = "urgency";

    fn is_conclusive(&self) -> bool {
        !matches!(self, Self::Unclear)
    }
}

fn name(urgency: &Urgency) -> &str {
    match urgency {
        Urgency::High => "high",
        Urgency::Low => "low",
        Urgency::Unclear => "unclear",
    }
}

fn read_completion(text: &str) -> Urgency {
    match text.trim().to_lowercase().as_str() {
        "high" => Urgency::High,
        "low" => Urgency::Low,
        _ => Urgency::Unclear,
    }
}

const MODEL: &str = "llama2-chat";
const DEFAULT_PROMPT: &str = "How urgent is this ticket? Answer high or low.\n\n{SENTENCE}\n";

async fn experiment() -> anyhow::Result<Experiment> {
    Ok(variables::get("variants").await?.parse()?)
}

/// What the model says about a ticket, or said before.
async fn urgency(ticket: &str) -> anyhow::Result<Urgency> {
    let experiment = experiment().await?;
    let variant = experiment.assign(&mut rand::rng());
    let store = Store::open(variant.label())?;

    let key = Key::for_sentence(ticket);
    let stored = store.read(&key)?;
    let prompt = Prompt::from_store(stored.prompt, DEFAULT_PROMPT);
    let known = stored.record.and_then(|value| Record::<Urgency>::from_json(&value));
    if let Some(record) = known.filter(|record| record.answers(prompt.fingerprint(), MODEL)) {
        return Ok(record.answer);
    }

    let started = Instant::now();
    let completion = infer(InferencingModel::Other(MODEL), &prompt.render(key.sentence()))?;
    let answer = read_completion(&completion.text);
    let record = Record::new(&key, answer, prompt.fingerprint(), MODEL)
        .timed(SystemTime::now(), started.elapsed())
        .with_tokens(completion.usage.prompt_token_count, completion.usage.generated_token_count);
    let Changed { before, after } = store.write(&key, record)?;
    let before = before.as_ref().map(|record| Observation::of_record(record, name));
    store.tally(before.as_ref(), Some(&Observation::of_record(&after, name)))?;
    Ok(answer)
}

/// What all observations together say.
async fn results() -> anyhow::Result<Report> {
    let outcomes = Outcomes::new(["high", "low"], "unclear");
    Ok(report(&experiment().await?, MODEL, DEFAULT_PROMPT, outcomes)?)
}

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    if request.method() == Method::GET {
        return Ok(serde_json::to_string(&results().await?)?);
    }
    let ticket = String::from_utf8(request.into_body().bytes().await?.to_vec())?;
    Ok(serde_json::to_string(&urgency(&ticket).await?)?)
}

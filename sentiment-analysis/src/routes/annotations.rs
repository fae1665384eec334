//! `/api/annotations`: what people who signed in say would be right. Nothing says which prompt answered what, or which is ahead.

use std::time::{Instant, SystemTime};

use api::{
    log::warn,
    origin, response, settings,
    sign_in::{self, Realm},
};
use experiment::{
    Fingerprint,
    journal::{Annotation, Given, Round, Standing},
    spin::{Journal, Store, StoreError},
    timestamp,
};
use problem::Problem;
use sentiment::Outcome;
use serde::Serialize;
use spin_sdk::http::{HeaderMap, Request, Response, StatusCode};

use super::sentiment::read_body;
use crate::{
    annotating::{Annotated, Retracted, wanted},
    instance::Instance,
    log,
};

const REALM: Realm = Realm {
    name: "annotation API",
    challenge: "Basic realm=\"Annotations\", charset=\"UTF-8\"",
    sign_in: "Sign in with the annotators' user and password.",
    not_configured: "No credentials are configured, so nobody may annotate. Start the app with SPIN_VARIABLE_ANNOTATOR_USER and \
                     SPIN_VARIABLE_ANNOTATOR_PASSWORD in the environment, or with those of the explorer.",
};

/// The component variables with credentials, as `user:password`: the first that is set counts.
const CREDENTIALS: [&str; 2] = ["annotator_credentials", "explorer_credentials"];

/// Sentences to annotate, and how far the annotating has come.
#[derive(Serialize)]
struct Queue {
    queue: Vec<Waiting>,
    #[serde(flatten)]
    standing: Standing,
}

/// A sentence that waits.
#[derive(Serialize)]
struct Waiting {
    sentence: String,
}

/// Sentences of which people say different things, and how far the annotating has come.
#[derive(Serialize)]
struct Listed {
    /// The name of the person who asks.
    annotator: String,
    disputes: Vec<Dispute>,
    #[serde(flatten)]
    standing: Standing,
}

/// What people say of a sentence, sorted by their names.
#[derive(Serialize)]
struct Dispute {
    sentence: String,
    given: Vec<Opinion>,
}

/// What one person says: nothing if they cannot tell.
#[derive(Serialize)]
struct Opinion {
    annotator: String,
    expected: Option<String>,
}

/// An annotation that was kept or taken back, and how far the annotating has come with it.
#[derive(Serialize)]
struct Kept {
    sentence: String,
    expected: Option<Outcome>,
    #[serde(flatten)]
    standing: Standing,
}

/// Sentences that nobody has annotated yet.
pub(super) async fn next(request: &Request) -> Result<Response<String>, Problem> {
    check(request.headers()).await?;
    let wanted = wanted(request.uri().query())?;
    let instance = Instance::get().await?;
    let read = || {
        let (journal, round) = (Journal::open()?, round(instance)?);
        let evidence = journal.evidence(round)?;
        let sentences = instance.with_rng(|rng| journal.next(&evidence, wanted, rng))?;
        let queue = sentences.into_iter().map(|sentence| Waiting { sentence }).collect();
        Ok(Queue { queue, standing: evidence.standing() })
    };
    response::json(&read().map_err(|error| failed("cannot be read", &error))?)
}

/// Sentences of which people say different things: each of them can change what they said.
pub(super) async fn disputed(request: &Request) -> Result<Response<String>, Problem> {
    let annotator = check(request.headers()).await?;
    let instance = Instance::get().await?;
    let read = || Journal::open()?.evidence(round(instance)?);
    let evidence = read().map_err(|error| failed("cannot be read", &error))?;
    let disputes = evidence.disputes().map(Dispute::of).collect();
    response::json(&Listed { annotator, disputes, standing: evidence.standing() })
}

/// Keeps an annotation.
pub(super) async fn post(request: Request) -> Response<String> {
    let started = Instant::now();
    logged(started, annotate(request).await)
}

/// Takes an annotation back.
pub(super) async fn delete(request: Request) -> Response<String> {
    let started = Instant::now();
    logged(started, retract(request).await)
}

impl Dispute {
    fn of(annotation: &Annotation) -> Self {
        let given = annotation
            .given
            .iter()
            .map(|(who, given)| Opinion { annotator: who.clone(), expected: given.expected.clone() });
        Self { sentence: annotation.draw.sentence.clone(), given: given.collect() }
    }
}

fn logged(started: Instant, result: Result<Kept, Problem>) -> Response<String> {
    let status = result.as_ref().map_or_else(Problem::status, |_| StatusCode::OK);
    log::Request::annotated(status).write(started.elapsed());
    result.and_then(|kept| response::json(&kept)).unwrap_or_else(Problem::into_response)
}

async fn annotate(request: Request) -> Result<Kept, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let who = check(&parts.headers).await?;
    let instance = Instance::get().await?;
    let body = read_body(&mut body).await?;
    let annotated = Annotated::parse(&body)?;
    let sentence = annotated.sentence()?.as_str();
    let expected = annotated.expected;
    let given = Given {
        expected: expected.map(|expected| expected.as_str().to_owned()),
        at: timestamp(SystemTime::now()),
    };
    let keep = || {
        let (journal, round) = (Journal::open()?, round(instance)?);
        journal.annotate(&round, sentence, &who, &given)?;
        Ok(journal.evidence(round)?.standing())
    };
    let standing = keep().map_err(|error| failed("was not recorded", &error))?;
    Ok(Kept { sentence: sentence.to_owned(), expected, standing })
}

async fn retract(request: Request) -> Result<Kept, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let who = check(&parts.headers).await?;
    let instance = Instance::get().await?;
    let body = read_body(&mut body).await?;
    let retracted = Retracted::parse(&body)?;
    let sentence = retracted.sentence()?.as_str();
    let take_back = || {
        let (journal, round) = (Journal::open()?, round(instance)?);
        journal.retract(&round, sentence, &who)?;
        Ok(journal.evidence(round)?.standing())
    };
    let standing = take_back().map_err(|error| failed("was not taken back", &error))?;
    Ok(Kept { sentence: sentence.to_owned(), expected: None, standing })
}

/// Lets people with credentials pass, and says who it is.
async fn check(headers: &HeaderMap) -> Result<String, Problem> {
    let values = settings::load(CREDENTIALS).await?;
    let expected = values.into_iter().find_map(sign_in::usable);
    sign_in::check(&REALM, expected.as_deref(), headers).map(str::to_owned)
}

/// The prompts that the variants have right now.
fn round(instance: &Instance) -> Result<Round, StoreError> {
    let settings = &instance.settings;
    let prompts = settings.experiment.variants().iter().map(|variant| {
        let value = Store::open(variant.label())?.read_prompt()?;
        Ok(instance.prompt(variant, Ok(value)).fingerprint())
    });
    Ok(Round::new(prompts.collect::<Result<Vec<Fingerprint>, StoreError>>()?, &settings.model))
}

fn failed(what: &str, error: &StoreError) -> Problem {
    warn(format_args!("an annotation {what}: {error}"));
    let status = match error {
        StoreError::Contended { .. } | StoreError::NotLinked { .. } | StoreError::NotGranted { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Problem::new(status, format!("The annotation {what}: {}.", error.public()))
}

//! The routes of `/api/annotations`. Nothing says which prompt answered what, or which is ahead.

use std::time::{Instant, SystemTime};

use api::{
    body,
    log::{event, warn},
    origin, response, settings,
    sign_in::{self, Realm},
};
use experiment::{
    journal::{Annotation, Given, Round, Standing},
    spin::{Journal, StoreError, current_round},
    timestamp,
};
use problem::Problem;
use rand::{
    SeedableRng,
    rngs::{SmallRng, SysRng},
};
use sentiment::{DEFAULT_PROMPT, Outcome};
use serde::Serialize;
use spin_sdk::http::{HeaderMap, Method, Request, Response, StatusCode};

use crate::annotating::{Annotated, Retracted, wanted};

/// The methods of each route, as an `Allow` header lists them.
const METHODS: &str = "POST, DELETE, OPTIONS";
const READ_METHODS: &str = "GET, HEAD, OPTIONS";

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
struct Disputed {
    /// The name of the person who asks.
    annotator: String,
    disputes: Vec<Dispute>,
    #[serde(flatten)]
    standing: Standing,
}

/// What people say about a sentence, sorted by their names.
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

impl Dispute {
    fn of(annotation: &Annotation) -> Self {
        let given = annotation
            .given
            .iter()
            .map(|(who, given)| Opinion { annotator: who.clone(), expected: given.expected.clone() });
        Self { sentence: annotation.draw.sentence.clone(), given: given.collect() }
    }
}

/// An annotation that was kept or taken back, and how far the annotating has come with it.
#[derive(Serialize)]
struct Kept {
    sentence: String,
    expected: Option<Outcome>,
    #[serde(flatten)]
    standing: Standing,
}

/// Answers a request, and logs it if it writes.
pub(crate) async fn route(request: Request) -> Response<String> {
    let started = Instant::now();
    let answered = match (request.uri().path(), request.method()) {
        ("/api/annotations", &Method::POST) => logged(started, annotate(request).await),
        ("/api/annotations", &Method::DELETE) => logged(started, retract(request).await),
        ("/api/annotations", method) => response::other_method(method, METHODS),
        // For HEAD the server leaves the body out.
        ("/api/annotations/next", &Method::GET | &Method::HEAD) => next(&request).await,
        ("/api/annotations/disputed", &Method::GET | &Method::HEAD) => disputed(&request).await,
        ("/api/annotations/next" | "/api/annotations/disputed", method) => {
            response::other_method(method, READ_METHODS)
        }
        (path, _) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "There is nothing at `{path}`; send a GET to /api/annotations/next, or a POST to /api/annotations."
            ),
        )),
    };
    answered.unwrap_or_else(Problem::into_response)
}

/// Sentences that nobody has annotated yet.
async fn next(request: &Request) -> Result<Response<String>, Problem> {
    check(request.headers()).await?;
    let wanted = wanted(request.uri().query())?;
    let mut rng = SmallRng::try_from_rng(&mut SysRng)
        .map_err(|_| Problem::internal("The system has no random numbers. Restart the app."))?;
    let (round, read) = (round().await?, "The sentences to annotate cannot be read");
    let queue = || {
        let journal = Journal::open()?;
        let evidence = journal.evidence(round)?;
        let sentences = journal.next(&evidence, wanted, &mut rng)?;
        let queue = sentences.into_iter().map(|sentence| Waiting { sentence }).collect();
        Ok(Queue { queue, standing: evidence.standing() })
    };
    response::json(&Result::map_err(queue(), |error| failed(read, &error))?)
}

/// Sentences on which annotators disagree: each of them can change their answer.
async fn disputed(request: &Request) -> Result<Response<String>, Problem> {
    let annotator = check(request.headers()).await?;
    let round = round().await?;
    let evidence = Journal::open()
        .and_then(|journal| journal.evidence(round))
        .map_err(|error| failed("The annotations cannot be read", &error))?;
    let disputes = evidence.disputes().map(Dispute::of).collect();
    response::json(&Disputed { annotator, disputes, standing: evidence.standing() })
}

/// Keeps an annotation.
async fn annotate(request: Request) -> Result<Kept, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let who = check(&parts.headers).await?;
    let body = body::of_request(&mut body).await?;
    let annotated = Annotated::parse(&body)?;
    let sentence = annotated.sentence()?.as_str();
    let expected = annotated.expected;
    let given = Given {
        expected: expected.map(|expected| expected.as_str().to_owned()),
        at: timestamp(SystemTime::now()),
    };
    let standing = change("was not recorded", |journal, round| {
        journal.annotate(round, sentence, &who, &given).map(drop)
    })
    .await?;
    Ok(Kept { sentence: sentence.to_owned(), expected, standing })
}

/// Takes an annotation back.
async fn retract(request: Request) -> Result<Kept, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let who = check(&parts.headers).await?;
    let body = body::of_request(&mut body).await?;
    let retracted = Retracted::parse(&body)?;
    let sentence = retracted.sentence()?.as_str();
    let standing =
        change("was not taken back", |journal, round| journal.retract(round, sentence, &who)).await?;
    Ok(Kept { sentence: sentence.to_owned(), expected: None, standing })
}

/// Changes the journal, and says how far the annotating has come with that; `failing` says what a failure means.
async fn change(
    failing: &str,
    change: impl FnOnce(&Journal, &Round) -> Result<(), StoreError>,
) -> Result<Standing, Problem> {
    let round = round().await?;
    let changed = Journal::open().and_then(|journal| {
        change(&journal, &round)?;
        Ok(journal.evidence(round)?.standing())
    });
    changed.map_err(|error| failed(&format!("The annotation {failing}"), &error))
}

/// Lets people with credentials pass, and says who it is.
async fn check(headers: &HeaderMap) -> Result<String, Problem> {
    let values = settings::load(CREDENTIALS).await?;
    let expected = values.into_iter().find_map(sign_in::usable);
    sign_in::check(&REALM, expected.as_deref(), headers).map(str::to_owned)
}

/// The prompts that the variants have right now.
async fn round() -> Result<Round, Problem> {
    let [variants, model] = settings::load(["variants", "model"]).await?;
    let (experiment, model) = (settings::experiment(&variants)?, settings::model(&model)?);
    current_round(&experiment, &model, DEFAULT_PROMPT)
        .map_err(|error| failed("The variants' prompts cannot be read", &error))
}

fn failed(what: &str, error: &StoreError) -> Problem {
    warn(format_args!("{what}: {error}"));
    let detail = format!("{what}: {}.", error.public());
    match error {
        error if error.is_passing() => Problem::unavailable(detail),
        StoreError::NotLinked { .. } | StoreError::NotGranted { .. } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
        _ => Problem::internal(detail),
    }
}

/// A line of log for a request that annotates; never the sentence.
#[derive(Serialize)]
struct Line {
    event: &'static str,
    status: u16,
    elapsed_us: u32,
}

fn logged(started: Instant, result: Result<Kept, Problem>) -> Result<Response<String>, Problem> {
    let status = result.as_ref().map_or_else(Problem::status, |_| StatusCode::OK).as_u16();
    let elapsed_us = started.elapsed().as_micros().try_into().unwrap_or(u32::MAX);
    event(&Line { event: "annotation", status, elapsed_us });
    response::json(&result?)
}

//! Reading tallies and annotations, and answering with what they say.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use api::{log::warn, response, settings};
use experiment::spin::{StoreError, report};
use problem::Problem;
use sentiment::{DEFAULT_PROMPT, Outcome};
use spin_sdk::http::{Method, Request, Response, StatusCode};

use crate::document::Document;

/// For so long the same answer is given again: many who ask at the same time cost little more than one.
const FRESH: Duration = Duration::from_millis(250);

thread_local! {
    /// What was answered last, and when it was read.
    static LAST: RefCell<Option<(Instant, Document)>> = const { RefCell::new(None) };
}

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request.
pub(crate) async fn answer(request: Request) -> Response<String> {
    let answered = match *request.method() {
        // For HEAD the server leaves the body out.
        Method::GET | Method::HEAD => results().await,
        Method::OPTIONS => Ok(response::options(METHODS)),
        ref method => Err(Problem::method_not_allowed(method, METHODS)),
    };
    answered.unwrap_or_else(Problem::into_response)
}

/// With the variables of the component that makes the observations.
async fn results() -> Result<Response<String>, Problem> {
    let started = Instant::now();
    let last = LAST.with_borrow(|last| {
        let fresh = last.as_ref().filter(|(read, _)| started.duration_since(*read) < FRESH);
        fresh.map(|(_, document)| response::json(document))
    });
    if let Some(response) = last {
        return response;
    }
    let [variants, model, model_note] = settings::load(["variants", "model", "model_note"]).await?;
    let model_note = settings::model_note(&model_note, &model);
    let (experiment, model) = (settings::experiment(&variants)?, settings::model(&model)?);
    let report = report(&experiment, &model, DEFAULT_PROMPT, Outcome::in_analysis())
        .map_err(|error| failed(&error))?;
    let document = Document::new(report, model_note, started);
    let response = response::json(&document);
    LAST.set(Some((started, document)));
    response
}

/// A store that cannot be read, as a problem; the log has the reason. A variant without a store is not a failure, but a mistake in how
/// the app is set up.
fn failed(error: &StoreError) -> Problem {
    warn(error);
    let reason = error.public();
    match error {
        StoreError::NotGranted { .. } | StoreError::NotLinked { .. } => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("There are no results: {reason}, or take it out of the variable `variants`."),
        ),
        error if error.is_passing() => Problem::unavailable(format!("There are no results: {reason}.")),
        _ => Problem::internal(format!("There are no results: {reason}.")),
    }
}

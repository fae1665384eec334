//! `POST /api/feedback`: what a person says would have been right, kept in the answer's record.

use std::time::Instant;

use api::{body, log::warn, origin, response};
use experiment::{
    Key,
    spin::{Store, StoreError},
};
use problem::Problem;
use sentiment::Outcome;
use serde::Serialize;
use spin_sdk::http::{Request, Response, StatusCode};

use crate::{answering::count, correction::Correction, instance::Instance, log};

/// The body of a response: the record's outcome, and the label that the sentence has from now on.
#[derive(Serialize)]
struct Corrected<'a> {
    variant: &'a str,
    sentiment: Outcome,
    expected: Option<Outcome>,
}

/// Answers a request and logs it.
pub(super) async fn post(request: Request) -> Response<String> {
    let started = Instant::now();
    let result = respond(request).await;
    let event = match &result {
        Ok(Corrected { variant, sentiment, expected }) => {
            log::Request::corrected(variant, *sentiment, *expected)
        }
        Err(problem) => log::Request::not_corrected(problem.status()),
    };
    event.write(started.elapsed());
    result.and_then(|corrected| response::json(&corrected)).unwrap_or_else(Problem::into_response)
}

/// Only an existing record is changed, so nobody can fill a store this way.
async fn respond(request: Request) -> Result<Corrected<'static>, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let instance = Instance::get().await?;
    let body = body::of_request(&mut body).await?;
    let correction = Correction::parse(&body)?;
    let sentence = correction.sentence()?;
    let label = correction.variant(&instance.settings.experiment)?.label();

    let key = Key::for_sentence(sentence.as_str());
    let expected = correction.expected;
    let changed = Store::open(label)
        .and_then(|store| store.correct(&key, expected.as_ref()))
        .map_err(|error| failed(&error))?;
    let changed = changed.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "`{label}` has no answer to this sentence. Analyse the sentence first, and name the variant that answered."
            ),
        )
    })?;
    let sentiment = changed.after.answer;
    count(label.to_owned(), changed);
    Ok(Corrected { variant: label, sentiment, expected })
}

fn failed(error: &StoreError) -> Problem {
    warn(format_args!("a correction was not recorded: {error}"));
    let detail = format!("The correction was not recorded: {}.", error.public());
    if error.is_passing() { Problem::unavailable(detail) } else { Problem::internal(detail) }
}

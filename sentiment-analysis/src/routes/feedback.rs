//! `POST /api/feedback`: a visitor's vote on an answer, kept in the answer's record.

use std::time::Instant;

use api::{address, body, log::warn, origin, response};
use experiment::{
    Key, Voter,
    spin::{Store, StoreError},
};
use problem::Problem;
use sentiment::Outcome;
use serde::Serialize;
use spin_sdk::http::{HeaderMap, Request, Response, StatusCode};

use crate::{
    answering::count,
    correction::Correction,
    instance::{Instance, visitor},
    log,
};

/// The type of the problem that a record has as many votes as are kept.
const TOO_MANY: &str = "too-many-votes";

/// The body of a response: the record's outcome, and what the visitor's vote says from now on.
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

/// Only an existing record is changed, and has a bounded number of votes, so nobody can fill a store this way.
async fn respond(request: Request) -> Result<Corrected<'static>, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let instance = Instance::get().await?;
    let body = body::of_request(&mut body).await?;
    let correction = Correction::parse(&body)?;
    let sentence = correction.sentence()?;
    let label = correction.variant(&instance.settings.experiment)?.label();

    let key = Key::for_sentence(sentence.as_str());
    let voter = voter(instance, &parts.headers, sentence.as_str());
    let expected = correction.expected;
    let vote = || {
        let store = Store::open(label)?;
        Ok((store.vote(&key, voter, expected.as_ref())?, store))
    };
    let (changed, store) = vote().map_err(|error| failed(&error))?;
    let changed = changed.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "`{label}` has no answer to this sentence. Analyse the sentence first, and name the variant that answered."
            ),
        )
    })?;
    let sentiment = changed.after.answer;
    count(store, changed);
    Ok(Corrected { variant: label, sentiment, expected })
}

/// Who votes: the visitor of the cookie, without one the address.
fn voter(instance: &Instance, headers: &HeaderMap, sentence: &str) -> Voter {
    if let Some(visitor) = visitor(headers) {
        return Voter::by_cookie(&visitor, sentence);
    }
    let address = address::of(headers, instance.settings.address_header.as_ref());
    Voter::by_address(&address, sentence)
}

fn failed(error: &StoreError) -> Problem {
    if let StoreError::Full { .. } = error {
        let detail = "This answer already has all the votes it can keep, so yours was not recorded. You can still vote on other answers.";
        return Problem::new(StatusCode::CONFLICT, detail).with_kind(TOO_MANY);
    }
    warn(format_args!("a vote was not recorded: {error}"));
    let detail = format!("The vote was not recorded: {}.", error.public());
    if error.is_passing() { Problem::unavailable(detail) } else { Problem::internal(detail) }
}

//! `POST /api/sentiment-analysis`: classifies a sentence with the prompt of the variant that it is assigned.

use std::time::Instant;

use api::{body, origin, response};
use experiment::{Fingerprint, Key, Record, Variant};
use problem::Problem;
use sentiment::{Outcome, Sentence};
use serde::Serialize;
use spin_sdk::http::{HeaderMap, HeaderValue, Request, Response};

use crate::{
    answering::{ask, open_and_read},
    fresh, inference,
    instance::Instance,
    log, shadow,
    submission::Submission,
};

/// The body of a response.
#[derive(Serialize)]
struct Classification<'a> {
    sentiment: Outcome,
    variant: &'a str,
    cached: bool,
}

/// A sentence's outcome, and whether it came from the store.
struct Classified {
    outcome: Outcome,
    /// The prompt that gave it for the first time; `None` if it came from the store, or the sentence has had an outcome before.
    first_of: Option<Fingerprint>,
    cached: bool,
}

/// Answers a request and logs it.
///
/// Besides reading the request and writing the response, an answer from the store costs these host calls: opening the store,
/// reading the prompt and the record in one batch, closing the store, reading the clock twice and one line of log. Nothing is
/// written, nothing waits for another request, and only the body, the two values, the record's texts and the response are
/// allocated.
pub(super) async fn post(request: Request) -> Response<String> {
    let started = Instant::now();
    let mut assigned = None;
    let result = respond(request, &mut assigned).await;
    let (variant, cookie) = assigned.unzip();
    let event = match &result {
        Ok(Classification { sentiment, variant, cached }) => {
            log::Request::answered(variant, *sentiment, *cached)
        }
        Err(problem) => log::Request::failed(variant, problem.status()),
    };
    event.write(started.elapsed());

    let mut response = result
        .and_then(|classification| response::json(&classification))
        .unwrap_or_else(Problem::into_response);
    // A failure sets the cookie as well, so that a visitor who tries again gets the same variant.
    if let Some(cookie) = cookie.flatten().and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().insert("set-cookie", cookie);
    }
    response
}

/// From a request to a classification. `assigned` is set as soon as there is a variant, with the cookie for a new visitor.
async fn respond(
    request: Request,
    assigned: &mut Option<(&'static str, Option<String>)>,
) -> Result<Classification<'static>, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let instance = Instance::get().await?;
    let body = body::of_request(&mut body).await?;
    let submission = Submission::parse(&body)?;
    let sentence = submission.sentence()?;

    let (variant, cookie) = instance.assign(&parts.headers);
    *assigned = Some((variant.label(), cookie));
    let Classified { outcome, first_of, cached } =
        classify(instance, variant, sentence, &parts.headers).await?;
    if let Some(prompt) = first_of {
        shadow::follow(instance, sentence, prompt, outcome);
    }
    Ok(Classification { sentiment: outcome, variant: variant.label(), cached })
}

/// Takes the outcome from the variant's store, or asks the model, if there may be one more new sentence, and records what it said.
///
/// If the store cannot be read, the sentence is still classified, with the default prompt, but the outcome is not recorded: it might
/// replace an observation that could not be seen, with a person's correction in it. If the store cannot be written, only the
/// record is lost.
async fn classify(
    instance: &Instance,
    variant: &Variant,
    sentence: Sentence<'_>,
    headers: &HeaderMap,
) -> Result<Classified, Problem> {
    let settings = &instance.settings;
    let key = Key::for_sentence(sentence.as_str());
    let (store, prompt, known) = match open_and_read(variant, &key) {
        Ok((store, stored)) => {
            let known = stored.record.and_then(|value| Record::<Outcome>::from_json(&value));
            (Some(store), instance.prompt(variant, Ok(stored.prompt)), known)
        }
        Err(error) => (None, instance.prompt(variant, Err(error.to_string())), None),
    };
    if let Some(record) = &known
        && record.answers(prompt.fingerprint(), &settings.model)
    {
        return Ok(Classified { outcome: record.answer, first_of: None, cached: true });
    }

    fresh::admit(instance, headers)?;
    let is_new =
        store.is_some() && !known.is_some_and(|record| record.is_of(prompt.fingerprint(), &settings.model));
    let outcome = ask(settings, variant, store, &prompt, &key)
        .await
        .map_err(|error| inference::problem(&error, settings))?;
    Ok(Classified { outcome, first_of: is_new.then(|| prompt.fingerprint()), cached: false })
}

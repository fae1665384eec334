//! `POST /api/sentiment-analysis`: classifies a sentence with the prompt of the variant that it is assigned.

use std::time::Instant;

use api::{address, body, log::warn, origin, recording::NewSentence, response};
use experiment::{Key, Record, Variant, spin::StoredValues};
use problem::Problem;
use sentiment::{Outcome, Sentence};
use serde::Serialize;
use spin_sdk::http::{HeaderValue, Request, Response};

use crate::{instance::Instance, log, recorder, submission::Submission};

/// The body of a response.
#[derive(Serialize)]
struct Classification<'a> {
    sentiment: Outcome,
    variant: &'a str,
    cached: bool,
}

/// The response that says why a sentence was not classified: a problem of this component or of the recorder.
struct Refused(Response<String>);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem.into_response())
    }
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
        Err(Refused(response)) => log::Request::failed(variant, response.status()),
    };
    event.write(started.elapsed());

    let answered = result.and_then(|classification| Ok(response::json(&classification)?));
    let mut response = answered.unwrap_or_else(|Refused(response)| response);
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
) -> Result<Classification<'static>, Refused> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let instance = Instance::get().await?;
    let body = body::of_request(&mut body).await?;
    let submission = Submission::parse(&body)?;
    let sentence = submission.sentence()?;

    let (variant, cookie) = instance.assign(&parts.headers);
    *assigned = Some((variant.label(), cookie));
    if let Some(sentiment) = known(instance, variant, sentence).await? {
        return Ok(Classification { sentiment, variant: variant.label(), cached: true });
    }
    let address = address::of(&parts.headers, instance.settings.address_header.as_ref());
    let new = NewSentence {
        sentence: sentence.as_str().into(),
        variant: variant.label().into(),
        address: address.into(),
    };
    let answered = recorder::answer(&new).await.map_err(Refused)?;
    Ok(Classification { sentiment: answered.outcome, variant: variant.label(), cached: answered.cached })
}

/// The outcome that the variant's store has, from its prompt and the model in use.
///
/// If the store is away, the sentence is not classified: another prompt's answer would be counted among this variant's, and the model would
/// be asked for what is in the store.
async fn known(
    instance: &Instance,
    variant: &Variant,
    sentence: Sentence<'_>,
) -> Result<Option<Outcome>, Problem> {
    let key = Key::for_sentence(sentence.as_str());
    let (prompt, record) = match StoredValues::of(variant.label(), &key).await {
        Ok(stored) => (Ok(stored.prompt), stored.record),
        Err(error) if error.is_passing() => {
            warn(format_args!("a sentence was not classified: {error}"));
            return Err(Problem::unavailable(format!(
                "The sentence was not classified: {}. Try again in a second.",
                error.public()
            )));
        }
        Err(error) => (Err(error.to_string()), None),
    };
    let prompt = instance.prompt(variant, prompt);
    let record = record.and_then(|value| Record::<Outcome>::from_json(&value));
    let answers = |record: &Record<_>| record.answers(prompt.fingerprint(), &instance.settings.model);
    Ok(record.filter(answers).map(|record| record.answer))
}

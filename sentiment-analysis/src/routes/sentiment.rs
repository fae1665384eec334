//! `POST /api/sentiment-analysis`: classifies a sentence with the prompt of the variant that it is assigned.

use std::time::{Instant, SystemTime};

use api::{answer, log::warn};
use bytes::Bytes;
use experiment::{
    Key, Record, Variant,
    spin::{Found, Store, StoreError},
};
use http_body::Body;
use problem::Problem;
use sentiment::{Outcome, Sentence, read_completion};
use serde::Serialize;
use spin_sdk::{
    http::{HeaderValue, Request, Response, StatusCode},
    wasip3::http::types::ErrorCode,
};

use crate::{
    body::{self, Unread},
    inference,
    instance::Instance,
    log, origin,
    submission::Submission,
};

/// The longest body, in bytes: a sentence of the greatest length has room, every character escaped.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The body of an answer.
#[derive(Serialize)]
struct Answer<'a> {
    sentiment: Outcome,
    variant: &'a str,
    cached: bool,
}

/// What is known of a sentence, and whether its store knew it.
struct Classified {
    outcome: Outcome,
    cached: bool,
}

/// Answers a request and logs it.
///
/// An answer from the store costs the host, beside reading the request and writing the answer: opening the store, reading
/// the prompt and the record in one batch, closing the store, two looks at the clock and one line of log. Nothing is written,
/// nothing waits on another request, and what is allocated is the body, the two values, the record's texts and the answer.
pub(super) async fn post(request: Request) -> Response<String> {
    let started = Instant::now();
    let mut assigned = None;
    let result = respond(request, &mut assigned).await;
    let (variant, cookie) = assigned.unzip();
    let event = match &result {
        Ok(answer) => log::Request::answered(answer.variant, answer.sentiment, answer.cached),
        Err(problem) => log::Request::failed(variant, problem.status()),
    };
    event.write(started.elapsed());

    let mut response = result.and_then(|answer| answer::json(&answer)).unwrap_or_else(Problem::into_response);
    // A failure sets the cookie as well, so that a visitor who tries again gets the same variant.
    if let Some(cookie) = cookie.flatten().and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().insert("set-cookie", cookie);
    }
    response
}

/// From a request to an answer; `assigned` is set as soon as there is a variant, with the cookie for a new visitor.
async fn respond(
    request: Request,
    assigned: &mut Option<(&'static str, Option<String>)>,
) -> Result<Answer<'static>, Problem> {
    let (parts, mut body) = request.into_parts();
    origin::check(&parts.uri, &parts.headers)?;
    let instance = Instance::get().await?;
    let body = read_body(&mut body).await?;
    let submission = Submission::parse(&body)?;
    let sentence = submission.sentence()?;

    let (variant, cookie) = instance.assign(&parts.headers);
    *assigned = Some((variant.label(), cookie));
    let Classified { outcome, cached } = classify(instance, variant, sentence).await?;
    Ok(Answer { sentiment: outcome, variant: variant.label(), cached })
}

/// Reads the body of a request that holds a sentence.
pub(super) async fn read_body(
    body: &mut (dyn Body<Data = Bytes, Error = ErrorCode> + Unpin),
) -> Result<Vec<u8>, Problem> {
    body::read(body, MAX_BODY_BYTES).await.map_err(|error| match error {
        Unread::TooLong => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is longer than {MAX_BODY_BYTES} bytes: shorten it."),
        ),
        Unread::Broken(error) => Problem::bad_request(format!("The body broke off: {error}. Send it again.")),
    })
}

/// Takes the outcome from the variant's store, or asks the model and records what it said.
///
/// A store that cannot be read keeps nobody from an answer, but then the default prompt gives it, and it is not recorded: it
/// might take the place of an observation, with a person's correction in it, that could not be seen. A store that cannot
/// be written only loses the record.
async fn classify(
    instance: &Instance,
    variant: &Variant,
    sentence: Sentence<'_>,
) -> Result<Classified, Problem> {
    let config = &instance.config;
    let key = Key::for_sentence(sentence.as_str());
    let (store, prompt, known) = match open_and_read(variant, &key) {
        Ok((store, found)) => {
            let known = found.record.and_then(|value| Record::<Outcome>::from_json(&value));
            (Some(store), instance.prompt(variant, Ok(found.prompt)), known)
        }
        Err(error) => (None, instance.prompt(variant, Err(error.to_string())), None),
    };
    if let Some(record) = &known
        && record.answers(prompt.fingerprint(), &config.model)
    {
        return Ok(Classified { outcome: record.answer, cached: true });
    }

    let rendered = prompt.render(sentence.as_str());
    let started = Instant::now();
    let completion = inference::infer(config, &rendered).await.map_err(|error| {
        warn(format_args!("{}: inference failed: {error}", variant.label()));
        inference::problem(&error, config)
    })?;
    let outcome = read_completion(&rendered, &completion.text);
    if let Some(store) = store {
        let usage = completion.usage;
        let record = Record::new(&key, outcome, prompt.fingerprint(), config.model.as_str())
            .timed(SystemTime::now(), started.elapsed())
            .with_tokens(usage.prompt_token_count, usage.generated_token_count);
        if let Err(error) = store.write(&key, record) {
            warn(format_args!("{}: an outcome was not recorded: {error}", variant.label()));
        }
    }
    Ok(Classified { outcome, cached: false })
}

fn open_and_read<'v>(variant: &'v Variant, key: &Key<'_>) -> Result<(Store<'v>, Found), StoreError> {
    let store = Store::open(variant.label())?;
    let found = store.read(key)?;
    Ok((store, found))
}

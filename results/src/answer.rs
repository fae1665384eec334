//! Reading the stores, and answering with what they hold.

use std::{mem, time::Instant};

use api::{log::warn, response, settings};
use bytes::Bytes;
use experiment::spin::{StoreError, Survey};
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use problem::Problem;
use sentiment::{DEFAULT_PROMPT, Outcome};
use spin_sdk::{
    http::{BoxBody, FullBody, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, box_body},
    wit_bindgen::yield_async,
};

use crate::document::{Document, LINES_TYPE, ResultLine, wants_lines};

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request.
pub(crate) async fn answer(request: Request) -> Response<BoxBody> {
    route(request).await.unwrap_or_else(|problem| whole(problem.into_response()))
}

async fn route(request: Request) -> Result<Response<BoxBody>, Problem> {
    match *request.method() {
        // For HEAD the server leaves the body out.
        Method::GET | Method::HEAD => {
            let mut response = results(request.headers()).await?;
            response.headers_mut().insert("vary", HeaderValue::from_static("accept"));
            Ok(response)
        }
        Method::OPTIONS => Ok(whole(response::options(METHODS))),
        ref method => Err(Problem::method_not_allowed(method, METHODS)),
    }
}

async fn results(headers: &HeaderMap) -> Result<Response<BoxBody>, Problem> {
    let started = Instant::now();
    let (mut survey, model_note) = start().await?;
    if wants_lines(headers) {
        // Each line is made when the client takes it.
        let lines = Lines { survey: Some(survey), model_note, started };
        let frames = lines.map(|line| Ok::<_, anyhow::Error>(Frame::data(line)));
        return Ok(response::of_type(LINES_TYPE, box_body(StreamBody::new(stream::iter(frames)))));
    }
    for step in &mut survey {
        step.map_err(|error| failed(&error))?;
        // Other requests of this instance go on.
        yield_async().await;
    }
    Ok(whole(response::json(&Document::new(survey.report(), model_note, started))?))
}

/// Begins to read what the component that makes the observations has recorded, with its variables.
async fn start() -> Result<(Survey<Outcome>, String), Problem> {
    let [variants, model, model_note] = settings::load(["variants", "model", "model_note"]).await?;
    let model_note = settings::model_note(&model_note, &model);
    let (experiment, model) = (settings::experiment(&variants)?, settings::model(&model)?);
    let survey =
        Survey::start(&experiment, &model, DEFAULT_PROMPT, Outcome::in_analysis(), |outcome: &Outcome| {
            outcome.as_str()
        })
        .map_err(|error| failed(&error))?;
    Ok((survey, model_note))
}

/// A survey as lines, each made when it is asked for: how far it has come, and last the report or a problem.
struct Lines {
    survey: Option<Survey<Outcome>>,
    model_note: String,
    started: Instant,
}

impl Iterator for Lines {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut survey = self.survey.take()?;
        let line = match survey.next() {
            Some(Ok(progress)) => {
                self.survey = Some(survey);
                ResultLine::Progress(progress)
            }
            Some(Err(error)) => ResultLine::Problem(failed(&error)),
            None => {
                let model_note = mem::take(&mut self.model_note);
                ResultLine::Report(Box::new(Document::new(survey.report(), model_note, self.started)))
            }
        };
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        Some(bytes.into())
    }
}

/// A store that cannot be read, as a problem; the log has the reason. A variant without a store is no failure, but a mistake in how
/// the app is set up.
fn failed(error: &StoreError) -> Problem {
    warn(error);
    let reason = error.public();
    match error {
        StoreError::NotGranted { .. } | StoreError::NotLinked { .. } => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("There are no results: {reason}, or take it out of the variable `variants`."),
        ),
        _ => Problem::internal(format!("There are no results: {reason}.")),
    }
}

fn whole(response: Response<String>) -> Response<BoxBody> {
    response.map(|body| box_body(FullBody::new(body.into())))
}

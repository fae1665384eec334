//! Which prompt is better: a Spin component.
//!
//! `GET /api/results` reads every observation in the variants' stores and answers with an
//! [analysis](experiment::analysis::Report) and [what it says](experiment::presentation::Presentation). A request that accepts
//! `application/x-ndjson` gets lines of JSON: how far the reading has come, `{"progress": …}`, and last `{"report": …}`, or
//! `{"problem": …}` where it broke off.
//!
//! It is a component of its own because the interface that reads many values at once is synchronous: an instance that reads
//! a large store does little else, and on Spin up to 16 requests share one. Here these are requests for results alone.
//!
//! - `settings`: the component's variables.
//! - `document`: what is answered, in one piece or as lines.

mod document;
mod settings;

use std::time::Instant;

use api::answer;
use experiment::spin::Survey;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use problem::Problem;
use sentiment::{DEFAULT_PROMPT, Outcome};
use spin_sdk::{
    http::{BoxBody, FullBody, HeaderMap, HeaderValue, Method, Request, Response, box_body},
    http_service,
    wit_bindgen::yield_async,
};

use self::{
    document::{Document, LINES_TYPE, Lines, broken_off, wants_lines},
    settings::Settings,
};

const METHODS: &str = "GET, HEAD, OPTIONS";

#[http_service]
async fn handle(request: Request) -> Response<BoxBody> {
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
        Method::OPTIONS => Ok(whole(answer::options(METHODS))),
        ref method => Err(Problem::method_not_allowed(method, METHODS)),
    }
}

async fn results(headers: &HeaderMap) -> Result<Response<BoxBody>, Problem> {
    let started = Instant::now();
    let Settings { experiment, model, model_note } = Settings::read().await?;
    let mut survey =
        Survey::start(&experiment, &model, DEFAULT_PROMPT, Outcome::in_analysis(), |it: &Outcome| {
            it.as_str()
        })
        .map_err(|error| broken_off(&error))?;
    if wants_lines(headers) {
        // Each line is made when the client takes it.
        let frames =
            Lines::new(survey, model_note, started).map(|line| Ok::<_, anyhow::Error>(Frame::data(line)));
        return Ok(answer::of_type(LINES_TYPE, box_body(StreamBody::new(stream::iter(frames)))));
    }
    for step in &mut survey {
        step.map_err(|error| broken_off(&error))?;
        // Other requests of this instance go on.
        yield_async().await;
    }
    Ok(whole(answer::json(&Document::new(survey.report(), model_note, started))?))
}

fn whole(response: Response<String>) -> Response<BoxBody> {
    response.map(|body| box_body(FullBody::new(body.into())))
}

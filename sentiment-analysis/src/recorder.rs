//! Asking the component that asks the model and records what it says.

use api::{
    body::{self, Unread},
    log::warn,
    recording::{Answered, NewSentence, URL},
};
use problem::Problem;
use sentiment::Outcome;
use spin_sdk::http::{self, Request, Response, StatusCode};

/// The longest response, in bytes: an outcome, or a problem.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// The outcome of a sentence that the variant's store does not have, or the response that says why there is none.
pub(crate) async fn answer(new: &NewSentence<'_>) -> Result<Answered<Outcome>, Response<String>> {
    let failed = |reason: String| {
        warn(format_args!("the component `recorder` did not answer: {reason}"));
        let detail = "The sentence was not classified, because a part of the app failed. Try again; the app's log has the reason.";
        Problem::new(StatusCode::BAD_GATEWAY, detail).into_response()
    };
    let response = send(new).await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(response);
    }
    serde_json::from_str(response.body()).map_err(|error| failed(error.to_string()))
}

async fn send(new: &NewSentence<'_>) -> Result<Response<String>, String> {
    let body = serde_json::to_string(new).map_err(|error| error.to_string())?;
    let request = Request::<()>::post(URL)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(body)
        .map_err(|error| error.to_string())?;
    let response = http::send(request).await.map_err(|error| error.to_string())?;
    let (head, mut body) = response.into_parts();
    let body = body::read(&mut body, MAX_RESPONSE_BYTES).await.map_err(|error| match error {
        Unread::TooLong => "its response is too long".to_owned(),
        Unread::CutOff(error) => error.to_string(),
    })?;
    let body = String::from_utf8(body).map_err(|error| error.to_string())?;
    Ok(Response::from_parts(head, body))
}

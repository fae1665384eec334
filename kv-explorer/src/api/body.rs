//! Request bodies, read up to a limit.

use crate::problem::Problem;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use spin_sdk::http::{Request, StatusCode};

/// The largest body of a call that takes JSON or JSON Lines.
pub(super) const MAX_BODY: usize = 8 << 20;

/// The whole body; one of more than `limit` bytes is refused.
pub(super) async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than {limit} bytes, the most here."),
        )
    };
    let announced =
        request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Problem::bad_request(format!("The body broke off: {error}."))),
    }
}

/// The body as JSON.
pub(super) async fn json<T: DeserializeOwned>(request: Request, shape: &str) -> Result<T, Problem> {
    let body = read(request, MAX_BODY).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("The body is not {shape}: {error}.")))
}

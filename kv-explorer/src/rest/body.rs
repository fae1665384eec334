//! Request bodies, read up to a limit.

use http_body_util::BodyExt as _;
use problem::Problem;
use serde::de::DeserializeOwned;
use spin_sdk::http::{Request, StatusCode};

/// The largest body of a call that takes JSON or JSON Lines.
pub(super) const MAX_BODY: usize = 8 << 20;

/// How much of a body that is too large is read anyway: many clients look at the response only once they have sent everything.
const MAX_DISCARDED: usize = 16 << 20;

/// The whole body; one of more than `limit` bytes is refused.
pub(super) async fn read(request: Request, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut incoming = request.into_body();
    let mut body = Vec::new();
    let mut size = 0;
    while size <= limit + MAX_DISCARDED {
        let Some(frame) = incoming.frame().await else { break };
        let frame = frame.map_err(|error| Problem::bad_request(format!("The body was cut off: {error}.")))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= limit {
            body.extend_from_slice(&data);
        } else {
            body = Vec::new();
        }
    }
    if size > limit {
        let detail = format!("The body is larger than {limit} bytes, which is the limit here.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(body)
}

/// The body as JSON. `hint` shows what to send.
pub(super) async fn json<T: DeserializeOwned>(request: Request, hint: &str) -> Result<T, Problem> {
    api::json::read(&read(request, MAX_BODY).await?, hint)
}

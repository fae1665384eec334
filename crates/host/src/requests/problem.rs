//! Problems (RFC 9457) that the runtime itself answers with.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use problem::Problem;
use wasmtime_wasi_http::WasiBody;

/// A response of `status` whose `detail` tells a person what to do.
pub(crate) fn problem(status: StatusCode, detail: &'static str) -> Response<WasiBody> {
    let mut problem = Problem::new(status, detail);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        problem = problem.with_header("retry-after", "1");
    }
    problem
        .into_response()
        .map(|body| Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync())
}

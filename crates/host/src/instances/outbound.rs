//! Requests of components to servers outside the app, as Spin makes them.

use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use http_client::{HttpClient, Timeouts};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::given::output::tell;

/// Sends a request that the component `id` may make. The guest learns what it would learn on Spin, which is little; the
/// terminal, why it failed.
pub(crate) async fn send(
    client: &HttpClient,
    id: &str,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let server = origin(request.uri());
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    match client.send(request, timeouts(options)).await {
        Ok(response) => Ok(response.map(|body| body.map_err(|error| error_code(&error)).boxed_unsync())),
        Err(error) => {
            tell(&format!("{id}: the request to {server} failed: {error}"));
            Err(error_code(&error))
        }
    }
}

/// Scheme, host and port: the rest of an address may be secret.
pub(crate) fn origin(uri: &Uri) -> String {
    let host =
        uri.authority().map_or("", |authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    format!("{}://{host}", uri.scheme().unwrap_or(&Scheme::HTTP))
}

/// The waits that a guest asks for; where it does not say, those of Spin.
fn timeouts(options: Option<RequestOptions>) -> Timeouts {
    let Timeouts { connect, first_byte, between_bytes } = Timeouts::default();
    let options = options.unwrap_or_default();
    Timeouts {
        connect: options.connect_timeout.unwrap_or(connect),
        first_byte: options.first_byte_timeout.unwrap_or(first_byte),
        between_bytes: options.between_bytes_timeout.unwrap_or(between_bytes),
    }
}

/// The code that a guest would see on Spin.
fn error_code(error: &http_client::Error) -> Error {
    use http_client::Error as Cause;
    match error {
        Cause::Address => Error::HttpRequestUriInvalid,
        Cause::Resolve(_) => {
            Error::DnsError { rcode: Some("address not available".to_owned()), info_code: Some(0) }
        }
        Cause::Connect(_) => Error::ConnectionRefused,
        Cause::ConnectTimeout(_) => Error::ConnectionTimeout,
        Cause::Tls(_) => Error::TlsProtocolError,
        // Spin uses no proxies.
        Cause::Proxy(_) => Error::DestinationUnavailable,
        Cause::ResponseTimeout(_) | Cause::BodyTimeout(_) => Error::ConnectionReadTimeout,
        _ => Error::HttpProtocolError,
    }
}

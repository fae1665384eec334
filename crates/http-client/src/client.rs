//! Sending a request.

use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::Error;
use crate::connect::{CONNECT_TIMEOUT, Connector};
use crate::proxies::Proxies;
use crate::roots::Tls;
use crate::timed_body::TimedBody;

/// The body of a request; any error ends it.
pub type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The body of a response.
pub type ResponseBody = UnsyncBoxBody<Bytes, Error>;

/// How long an exchange waits for a connection: a server that takes longer for one is not there.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, with the proxy's part and TLS.
    pub connect: Duration,
    /// For the response to begin, from the start.
    pub first_byte: Duration,
    /// Between two pieces of the response's body.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    /// Ten minutes each, as Spin waits where a component does not say.
    fn default() -> Self {
        let long = Duration::from_mins(10);
        Self { connect: long, first_byte: long, between_bytes: long }
    }
}

/// A client of any servers; clones share its connections. They are driven by the runtime on which they were made, so
/// each runtime needs a client of its own.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<Connector, RequestBody>,
    proxies: Proxies,
}

impl HttpClient {
    /// A client that trusts the certificates of the system, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` where they are
    /// set, and Mozilla's; and that uses the proxies which the environment names, though never for this machine's own
    /// addresses.
    pub fn new() -> Self {
        Self::with(Proxies::from_environment(), Tls::SYSTEM)
    }

    pub(crate) fn with(proxies: Proxies, tls: Tls) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(Connector::new(proxies.clone(), tls));
        Self { client, proxies }
    }

    /// Sends a request and gives the response as soon as its head is there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, does not answer in time or breaks off; never for a response's status.
    pub async fn send(
        &self,
        mut request: Request<RequestBody>,
        timeouts: Timeouts,
    ) -> Result<Response<ResponseBody>, Error> {
        let uri = request.uri();
        if uri.scheme() == Some(&Scheme::HTTP)
            && let Some(proxy) = self.proxies.of(uri)
            && let Some(credentials) = proxy.basic_auth()
        {
            let credentials = credentials.clone();
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials);
        }
        let responding = CONNECT_TIMEOUT.scope(timeouts.connect, self.client.request(request));
        let response = tokio::time::timeout(timeouts.first_byte, responding)
            .await
            .map_err(|_| Error::ResponseTimeout(timeouts.first_byte))?
            .map_err(|error| Error::from_source(&error, Error::Broken))?;
        Ok(response.map(|body| TimedBody::new(body, timeouts.between_bytes).boxed_unsync()))
    }

    /// Sends a request and reads the response to its end, all within `limit`, at most `most` bytes of it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and when the response is longer.
    pub async fn exchange(
        &self,
        request: Request<impl Into<Bytes>>,
        limit: Duration,
        most: usize,
    ) -> Result<Response<Bytes>, Error> {
        let request =
            request.map(|body| Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
        let exchange = async {
            let timeouts = Timeouts { connect: CONNECTING, first_byte: limit, between_bytes: limit };
            let (head, body) = self.send(request, timeouts).await?.into_parts();
            let body = Limited::new(body, most).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Error::TooLarge(most)
                } else {
                    Error::from_source(&*error, Error::Broken)
                }
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(limit, exchange).await.map_err(|_| Error::ResponseTimeout(limit))?
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

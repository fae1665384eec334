//! Why there is no response.

use std::time::Duration;

/// Why there is no response, or only a part of it. The texts name the cause, and nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one of HTTP.
    #[error("the address has no host, or starts with neither http:// nor https://")]
    Address,
    /// The host's name has no address.
    #[error("cannot resolve the host's name: {0}")]
    Resolve(String),
    /// Nothing takes connections at the address.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// Making the connection took too long.
    #[error("timed out connecting after {0:?}")]
    ConnectTimeout(Duration),
    /// The server's certificate is not trusted, or the two sides have no TLS in common.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The proxy does not lead to the server.
    #[error("the proxy failed: {0}")]
    Proxy(String),
    /// The response did not begin in time.
    #[error("timed out after {0:?}")]
    ResponseTimeout(Duration),
    /// The response paused for too long.
    #[error("timed out: the response paused for {0:?}")]
    BodyTimeout(Duration),
    /// The response is longer than the caller takes.
    #[error("the response is longer than {0} bytes")]
    TooLarge(usize),
    /// The connection broke, or the other side does not speak HTTP/1.1.
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

impl Error {
    /// The connector's own error, which `hyper` wraps, or the cause at the root, which its texts leave out.
    pub(crate) fn from_source(
        error: &(dyn std::error::Error + 'static),
        otherwise: fn(String) -> Self,
    ) -> Self {
        let mut root = error;
        loop {
            if let Some(known) = root.downcast_ref::<Self>() {
                return known.clone();
            }
            match root.source() {
                Some(cause) => root = cause,
                None => return otherwise(root.to_string()),
            }
        }
    }
}

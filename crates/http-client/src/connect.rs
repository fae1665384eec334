//! Making a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::Error;
use crate::proxies::Proxies;
use crate::roots::Tls;

tokio::task_local! {
    /// How long the request at hand waits for a connection. The client that keeps the connections passes no more to the
    /// connector than an address.
    pub(crate) static CONNECT_TIMEOUT: Duration;
}

/// Makes connections to servers, through a proxy where there is one.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    proxies: Proxies,
    direct: Direct,
}

impl Connector {
    pub(crate) fn new(proxies: Proxies, tls: Tls) -> Self {
        Self { proxies, direct: Direct { tls } }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, Error> {
        match self.proxies.of(&uri) {
            Some(proxy) => self.connect_through(&proxy, uri).await,
            None => self.direct.connect(uri).await,
        }
    }

    async fn connect_through(mut self, proxy: &Intercept, uri: Uri) -> Result<TokioIo<Stream>, Error> {
        let address = proxy.uri().clone();
        if !matches!(address.scheme_str(), Some("http" | "https")) {
            return Err(Error::Proxy(format!("\"{address}\" starts with neither http:// nor https://")));
        }
        if uri.scheme() != Some(&Scheme::HTTPS) {
            let stream = self.direct.call(address).await.map_err(|error| Error::Proxy(error.to_string()))?;
            return Ok(TokioIo::new(Stream { proxied: true, ..stream.into_inner() }));
        }
        let mut tunnel = Tunnel::new(address, self.direct);
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        let stream = tunnel
            .call(uri.clone())
            .await
            .map_err(|error| Error::Proxy(Error::from_source(&error, Error::Connect).to_string()))?;
        self.direct.secure(&uri, stream.into_inner()).await.map(TokioIo::new)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        match CONNECT_TIMEOUT.try_get() {
            Ok(limit) => Box::pin(async move {
                tokio::time::timeout(limit, connecting).await.map_err(|_| Error::ConnectTimeout(limit))?
            }),
            Err(_) => Box::pin(connecting),
        }
    }
}

/// Makes connections to an address itself.
#[derive(Clone, Copy, Debug)]
struct Direct {
    tls: Tls,
}

impl Direct {
    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, Error> {
        let host = uri.host().ok_or(Error::Address)?;
        let port = match (uri.port_u16(), uri.scheme_str()) {
            (Some(port), Some("http" | "https")) => port,
            (None, Some("http")) => 80,
            (None, Some("https")) => 443,
            _ => return Err(Error::Address),
        };
        let addresses: Vec<_> = tokio::net::lookup_host(format!("{host}:{port}"))
            .await
            .map_err(|error| Error::Resolve(error.to_string()))?
            .collect();
        let connect = async {
            let stream = TcpStream::connect(&*addresses).await?;
            // A request leaves in one piece: waiting for more would only delay it.
            stream.set_nodelay(true)?;
            io::Result::Ok(stream)
        };
        let stream = connect.await.map_err(|error| Error::Connect(error.to_string()))?;
        if uri.scheme() == Some(&Scheme::HTTPS) {
            self.secure(&uri, Stream::new(stream)).await.map(TokioIo::new)
        } else {
            Ok(TokioIo::new(Stream::new(stream)))
        }
    }

    async fn secure(self, uri: &Uri, stream: Stream) -> Result<Stream, Error> {
        Ok(Stream::new(self.tls.connect(uri.host().ok_or(Error::Address)?, stream).await?))
    }
}

impl Service<Uri> for Direct {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.connect(uri))
    }
}

/// A connection, whatever it is made of.
pub(crate) struct Stream {
    stream: Box<dyn Duplex>,
    /// It leads to a proxy that is to be told the whole address.
    proxied: bool,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

impl Stream {
    fn new(stream: impl Duplex + 'static) -> Self {
        Self { stream: Box::new(stream), proxied: false }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

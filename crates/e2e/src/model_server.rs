//! A scripted model server: the one test double there is.
//!
//! It speaks both protocols of Spin's `remote_http`, does as it is told, and remembers what it was asked. It runs on a
//! thread of its own, so that a test may block on a process that infers; dropping it closes its port and every
//! connection.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use e2e::model_server::{ModelServer, Reply};
//!
//! let model = ModelServer::start()?;
//! model.answer_with("positive").answer_sentence("rain", Reply::Status(503));
//! // … let the app under test use `model.url()` …
//! assert_eq!(model.requests().len(), 1);
//! # Ok(())
//! # }
//! ```

pub mod cases;
mod protocol;
mod request;
mod script;
mod strict;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use self::request::{ModelRequest, Protocol, Reply};
use self::script::{Failures, State};
pub use self::strict::PENALTIES;

/// A running server. Its script may change at any time; a request goes by the script of the moment it arrives.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    state: Arc<State>,
    /// The certificate of the authority, in PEM.
    authority: Option<String>,
    /// Dropping it ends the server's thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// While it lives, requests are accepted and counted, and wait for their answers.
#[derive(Debug)]
#[must_use = "the server answers again as soon as this is dropped"]
pub struct Hold<'a>(&'a State);

impl ModelServer {
    /// Starts on a free port and answers `neutral` to everything until told otherwise.
    pub fn start() -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Starts with TLS; see [`authority`](Self::authority).
    pub fn start_with_tls() -> io::Result<Self> {
        let (acceptor, authority) = tls::acceptor()?;
        Self::start_server((Ipv4Addr::LOCALHOST, 0).into(), Some(acceptor), Some(authority))
    }

    /// Starts at an address, for a test in which a model comes back.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        Self::start_server(address, None, None)
    }

    fn start_server(
        address: SocketAddr,
        acceptor: Option<TlsAcceptor>,
        authority: Option<String>,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let state = Arc::new(State::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("model-server".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    result = accept(listener, acceptor, &serving) => result,
                    // The channel never carries anything: it ends when the server is dropped.
                    _ = stopped => Ok(()),
                }
            })
        })?;
        Ok(Self { address, state, authority, stop: Some(stop), thread: Some(thread) })
    }

    /// The address, as `url` in `[llm_compute]` and as the variable `model_server`.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate of the authority that vouches for a server with TLS, in PEM: what `SSL_CERT_FILE` has to name.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The address, to start another server at it later.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the reply to every sentence that no [`answer_sentence`](Self::answer_sentence) names.
    pub fn answer_with(&self, reply: impl Into<Reply>) -> &Self {
        self.state.script().default = reply.into();
        self
    }

    /// Sets the reply to sentences that contain `part`. Of several that fit, the one set last counts.
    pub fn answer_sentence(&self, part: &str, reply: impl Into<Reply>) -> &Self {
        self.state.script().sentences.push((part.to_owned(), reply.into()));
        self
    }

    /// Gives `percent` of all requests this reply instead of theirs: at random, the same with the same seed.
    pub fn fail_some(&self, percent: u8, seed: u64, reply: impl Into<Reply>) -> &Self {
        self.state.script().failures = Some(Failures { percent, random: seed, reply: reply.into() });
        self
    }

    /// Refuses parameters in `OpenAI`'s protocol with status 400, such as `max_tokens` or all [`PENALTIES`].
    pub fn refuse(&self, parameters: &[&str]) -> &Self {
        self.state.script().strictness.refused.extend(parameters.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Answers `OpenAI`'s protocol below this path alone, instead of `/v1`. Elsewhere there is nothing: status 404.
    pub fn serve_below(&self, base_path: &str) -> &Self {
        self.state.script().strictness.base_path = Some(base_path.to_owned());
        self
    }

    /// Answers `OpenAI`'s protocol only with this query, such as `api-version=2024-10-21`. Without it there is nothing.
    pub fn require_query(&self, query: &str) -> &Self {
        self.state.script().strictness.query = Some(query.to_owned());
        self
    }

    /// Refuses any other token in `OpenAI`'s protocol with status 401, in a message that repeats it.
    pub fn require_token(&self, token: &str) -> &Self {
        self.state.script().strictness.token = Some(token.to_owned());
        self
    }

    /// Refuses any other model in `OpenAI`'s protocol with status 404.
    pub fn require_model(&self, model: &str) -> &Self {
        self.state.script().strictness.model = Some(model.to_owned());
        self
    }

    /// Keeps every answer back until the result is dropped.
    pub fn hold(&self) -> Hold<'_> {
        self.state.held.send_replace(true);
        Hold(&self.state)
    }

    /// The requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.state.requests().clone()
    }

    /// How many requests are waiting for their answers.
    pub fn in_flight(&self) -> usize {
        self.state.in_flight.borrow().now
    }

    /// The most requests that ever waited at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.state.in_flight.borrow().most
    }

    /// How many requests were given up by their clients while they waited.
    pub fn abandoned(&self) -> usize {
        self.state.in_flight.borrow().abandoned
    }

    /// Waits until at least `count` requests were given up.
    pub async fn until_abandoned(&self, count: usize) {
        // The sender lives in the state, which this borrows, so the channel cannot close.
        let _ = self.state.in_flight.subscribe().wait_for(|in_flight| in_flight.abandoned >= count).await;
    }

    /// Waits until at least `count` requests are waiting for their answers.
    pub async fn until_in_flight(&self, count: usize) {
        // The sender lives in the state, which this borrows, so the channel cannot close.
        let _ = self.state.in_flight.subscribe().wait_for(|in_flight| in_flight.now >= count).await;
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Waiting, so that the port is free again. What went wrong in there has shown in the test already.
            let _ = thread.join();
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.held.send_replace(false);
    }
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    state: &Arc<State>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = listener.accept().await?;
        // Small answers leave at once; a connection that refuses the option still works.
        let _ = connection.set_nodelay(true);
        let (acceptor, state) = (acceptor.clone(), Arc::clone(state));
        connections.spawn(async move {
            match acceptor {
                None => serve(connection, &state).await,
                // A client that does not trust the certificate ends the connection.
                Some(acceptor) => {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        serve(connection, &state).await;
                    }
                }
            }
        });
        // Connections that are over need no keeping.
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(connection: impl AsyncRead + AsyncWrite + Unpin, state: &State) {
    let service = service_fn(|request| protocol::answer(state, request));
    // A connection that ends badly does so because the script or the client wants it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

#[cfg(test)]
mod tests;

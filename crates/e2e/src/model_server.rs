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
mod strict;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use self::strict::PENALTIES;
use self::strict::Strictness;

/// What the server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Completes the prompt with this text.
    Text(String),
    /// Completes it with the prompt itself, followed by this text, as a local model of Spin's does.
    Echo(String),
    /// Answers with this HTTP status and an error in the protocol's shape.
    Status(u16),
    /// Answers 200 with a body that is not JSON.
    Garbage,
    /// Answers 429 and wants to be asked again after so many seconds.
    RateLimited(u32),
    /// Answers 200 with a page of HTML.
    Page,
    /// Answers 200 with a body that never ends.
    Endless,
    /// In `OpenAI`'s protocol: `content` is `null`, as the limit of tokens was reached before there was any.
    NoContent,
    /// In `OpenAI`'s protocol: completes the prompt with the text, and gives the reasoning beside it.
    Thinking {
        /// What is in `reasoning_content`.
        reasoning: String,
        /// What is in `content`.
        text: String,
    },
    /// Answers 200 with JSON that is not the protocol's.
    WrongJson,
    /// Closes the connection before the first byte of an answer.
    CutBeforeAnswer,
    /// Sends the head and half of the body of an answer with this text, then closes the connection.
    CutMidAnswer(String),
    /// The reply, this much later.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// The reply, `delay` later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The two protocols that a model can be asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /infer`
    Infer,
    /// `POST /v1/chat/completions`, or below another path.
    OpenAi,
}

/// A request as the server got it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The protocol of the request.
    pub protocol: Protocol,
    /// The path with the query.
    pub path: String,
    /// The model it asked for.
    pub model: String,
    /// The prompt, or the only message.
    pub prompt: String,
    /// In Spin's protocol its `options`, in `OpenAI`'s all that is neither model nor messages.
    pub options: Value,
    /// The header `authorization`.
    pub authorization: Option<String>,
    /// The header `api-key`, which Azure wants.
    pub api_key: Option<String>,
}

impl ModelRequest {
    /// What replaced `{SENTENCE}` in a prompt of the article's form; of other prompts the whole.
    pub fn sentence(&self) -> &str {
        self.prompt.split_once("[/INST]\nUser: ").map_or(self.prompt.as_str(), |(_, sentence)| sentence)
    }
}

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

#[derive(Debug, Default)]
struct State {
    script: Mutex<Script>,
    requests: Mutex<Vec<ModelRequest>>,
    in_flight: watch::Sender<InFlight>,
    held: watch::Sender<bool>,
}

#[derive(Debug)]
struct Script {
    default: Reply,
    sentences: Vec<(String, Reply)>,
    failures: Option<Failures>,
    strictness: Strictness,
}

#[derive(Debug)]
struct Failures {
    percent: u8,
    random: u64,
    reply: Reply,
}

#[derive(Clone, Copy, Debug, Default)]
struct InFlight {
    now: usize,
    most: usize,
    abandoned: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            default: "neutral".into(),
            sentences: Vec::new(),
            failures: None,
            strictness: Strictness::default(),
        }
    }
}

impl Script {
    fn reply_to(&mut self, sentence: &str) -> Reply {
        if let Some(failures) = &mut self.failures
            && next_random(&mut failures.random) % 100 < u64::from(failures.percent)
        {
            return failures.reply.clone();
        }
        let rule = self.sentences.iter().rev().find(|(part, _)| sentence.contains(part));
        rule.map_or(&self.default, |(_, reply)| reply).clone()
    }
}

impl State {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<ModelRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply to a request, when its time has come.
    async fn reply(&self, request: &ModelRequest) -> Reply {
        let mut reply = self.script().reply_to(request.sentence());
        let mut waiting = Waiting::new(self);
        // Whoever holds the answers lets go by dropping; the sender is in the state, so the channel cannot close.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        while let Reply::After(delay, later) = reply {
            tokio::time::sleep(delay).await;
            reply = *later;
        }
        waiting.is_over = true;
        reply
    }
}

/// Counts a request for as long as it waits, even if its client gives up.
struct Waiting<'a> {
    state: &'a State,
    /// Whether the answer came first.
    is_over: bool,
}

impl<'a> Waiting<'a> {
    fn new(state: &'a State) -> Self {
        state.in_flight.send_modify(|in_flight| {
            in_flight.now += 1;
            in_flight.most = in_flight.most.max(in_flight.now);
        });
        Self { state, is_over: false }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.state.in_flight.send_modify(|in_flight| {
            in_flight.now -= 1;
            in_flight.abandoned += usize::from(!self.is_over);
        });
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

/// The next number of `SplitMix64` (Steele, Lea and Flood 2014).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;

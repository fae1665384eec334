//! A server outside the app, for tests of what reaches it: it follows a script, remembers its requests, and counts its
//! connections. It runs on a thread of its own, over TLS where it is given an [`Authority`], and ends with its value.

mod answer;
mod authority;
mod script;
mod state;

use std::convert::Infallible;
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
use tokio_rustls::TlsAcceptor;

use crate::process::PATIENCE;

pub use self::authority::Authority;
pub use self::script::Script;
pub use self::state::Received;
use self::state::{Connections, State};

/// A running server.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    /// Dropping it ends the server's thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// A server that does the same with every request.
    pub fn start(script: Script) -> Self {
        Self::serve(script, None)
    }

    /// The same over TLS, with a certificate of this authority.
    pub fn start_tls(script: Script, authority: &Authority) -> Self {
        Self::serve(script, Some(authority.acceptor()))
    }

    fn serve(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let state = Arc::new(State::new(script));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("origin".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    never = accept(listener, tls, serving) => match never {},
                    // The channel never carries anything: it ends when the server is dropped.
                    _ = stopped => {}
                }
            });
        });
        Self { address, scheme, state, stop: Some(stop), thread: Some(thread.unwrap()) }
    }

    /// Where it is, without a path.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.state.requests().clone()
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.state.connections.borrow().accepted
    }

    /// Waits until so many requests have arrived.
    pub async fn until_requests(&self, count: usize) {
        self.until(&format!("{count} requests"), |_| self.state.requests().len() >= count).await;
    }

    /// Waits until so many connections were closed, by whichever side.
    pub async fn until_closed(&self, count: usize) {
        self.until(&format!("{count} closed connections"), |connections| connections.closed >= count).await;
    }

    async fn until(&self, what: &str, is_so: impl FnMut(&Connections) -> bool) {
        let mut connections = self.state.connections.subscribe();
        let waited = tokio::time::timeout(PATIENCE, connections.wait_for(is_so)).await;
        // The sender is in the state, which this borrows, so the channel cannot close.
        assert!(waited.is_ok(), "no {what}: {:?}", self.state);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.stop.take());
        let served = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(served, Some(Ok(()))));
    }
}

async fn accept(listener: std::net::TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) -> Infallible {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        state.connections.send_modify(|connections| connections.accepted += 1);
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            // A connection that is cut, by either side, is what some tests are about.
            let _ = match tls {
                None => converse(socket, &state).await,
                Some(tls) => match tls.accept(socket).await {
                    Ok(stream) => converse(stream, &state).await,
                    Err(error) => Err(error),
                },
            };
            state.connections.send_modify(|connections| connections.closed += 1);
        });
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: &Arc<State>,
) -> io::Result<()> {
    let service = service_fn(|request| answer::answer(Arc::clone(state), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    connection.with_upgrades().await.map_err(io::Error::other)
}

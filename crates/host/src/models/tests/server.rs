//! A model server that does as it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, oneshot};

/// What the server does with every request.
#[derive(Debug, Clone)]
pub(super) enum Script {
    Answer {
        status: u16,
        body: &'static str,
    },
    /// Answers once so many requests are there.
    Together {
        requests: usize,
        answer: &'static str,
    },
    /// Closes the connection without a word.
    CutBeforeHead,
    /// Closes it in the middle of the body.
    CutInBody,
    /// Never answers.
    Silence,
    /// Answers one byte at a time, and never comes to an end.
    Trickle,
    /// Answers as fast as it can, and never comes to an end.
    Flood,
}

impl Script {
    pub(super) fn answer(status: u16, body: &'static str) -> Self {
        Self::Answer { status, body }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) uri: String,
    headers: hyper::HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Runs on a thread of its own and ends with the test.
pub(super) struct ModelServer {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    script: Script,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    barrier: Barrier,
}

impl ModelServer {
    pub(super) fn start(script: Script) -> Self {
        let together = if let Script::Together { requests, .. } = script { requests } else { 1 };
        let state = Arc::new(State {
            script,
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            barrier: Barrier::new(together),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(TcpListener::from_std(listener).unwrap(), serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let served = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(served, Some(Ok(()))));
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::Relaxed);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            // A connection that was cut, by either side, is what some tests are about.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

type Body = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

async fn answer(request: Request<Incoming>, state: &State) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let received =
        Received { method: head.method.to_string(), uri: head.uri.to_string(), headers: head.headers, body };
    state.requests.lock().unwrap().push(received);
    let cut = || io::Error::other("cut, as the script says");
    let frame = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
    let (status, body) = match state.script {
        Script::Answer { status, body } => (status, stream::iter([frame(body)]).boxed()),
        Script::Together { answer, .. } => {
            state.barrier.wait().await;
            (200, stream::iter([frame(answer)]).boxed())
        }
        Script::CutBeforeHead => return Err(cut()),
        Script::CutInBody => (200, stream::iter([frame("{\"text\":"), Err(cut())]).boxed()),
        Script::Silence => std::future::pending().await,
        Script::Trickle => {
            let bytes = stream::unfold((), move |()| async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((frame(" "), ()))
            });
            (200, bytes.boxed())
        }
        Script::Flood => (200, stream::repeat_with(move || frame("          ")).boxed()),
    };
    Ok(Response::builder().status(status).body(StreamBody::new(body)).unwrap())
}

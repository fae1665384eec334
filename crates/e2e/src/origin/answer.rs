//! Requests and answers on the wire.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::LOCATION;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::script::Script;
use super::state::{Received, State};

type Body = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// Answers a request as the script says. An error closes the connection.
pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let frame = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
    let cut = || io::Error::other("cut, as the script says");
    let request = match &state.script {
        Script::Echo => {
            let (head, body) = request.into_parts();
            remember(&state, &head, Bytes::new());
            return Ok(response(
                200,
                body.into_data_stream().map(|piece| piece.map(Frame::data).map_err(io::Error::other)).boxed(),
            ));
        }
        Script::Proxy(server) if request.method() == Method::CONNECT => {
            let server = TcpStream::connect(server).await?;
            return Ok(tunnel(&state, request, server));
        }
        _ => request,
    };
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    remember(&state, &head, body);
    let (status, body) = match &state.script {
        Script::Answer { status, body } => (*status, stream::iter([frame(body)]).boxed()),
        Script::Together { answer, .. } => {
            state.barrier.wait().await;
            (200, stream::iter([frame(answer)]).boxed())
        }
        Script::After(delay) => {
            tokio::time::sleep(*delay).await;
            (200, stream::iter([frame("late")]).boxed())
        }
        Script::Redirect(address) => {
            let mut response = response(307, stream::empty().boxed());
            response.headers_mut().insert(LOCATION, address.parse().unwrap());
            return Ok(response);
        }
        Script::Bytes(count) => {
            const PIECE: usize = 64 * 1024;
            let (whole, rest) = (count / PIECE, count % PIECE);
            let pieces = std::iter::repeat_n(PIECE, whole).chain([rest]);
            (200, stream::iter(pieces.map(|length| Ok(Frame::data(vec![b'x'; length].into())))).boxed())
        }
        Script::CutBeforeHead => return Err(cut()),
        Script::CutInBody => (200, stream::iter([frame("{\"text\":"), Err(cut())]).boxed()),
        Script::Silence => std::future::pending().await,
        Script::Pause => (200, stream::iter([frame("so far")]).chain(stream::pending()).boxed()),
        Script::Trickle => {
            let bytes = stream::unfold((), move |()| async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((frame(" "), ()))
            });
            (200, bytes.boxed())
        }
        Script::Flood => (200, stream::repeat_with(move || frame("          ")).boxed()),
        Script::Proxy(_) => (200, stream::iter([frame("through the proxy")]).boxed()),
        Script::Echo => unreachable!("it does not wait for the body"),
    };
    Ok(response(status, body))
}

fn remember(state: &State, head: &hyper::http::request::Parts, body: Bytes) {
    state.remember(Received {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers.clone(),
        body,
    });
}

fn response(status: u16, body: BoxStream<'static, io::Result<Frame<Bytes>>>) -> Response<Body> {
    Response::builder().status(status).body(StreamBody::new(body)).unwrap()
}

/// Leads what follows the answer to `server`.
fn tunnel(state: &State, request: Request<Incoming>, mut server: TcpStream) -> Response<Body> {
    let (head, body) = request.into_parts();
    remember(state, &head, Bytes::new());
    let request = Request::from_parts(head, body);
    tokio::spawn(async move {
        if let Ok(client) = hyper::upgrade::on(request).await {
            // Either side may end it.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut server).await;
        }
    });
    response(200, stream::empty().boxed())
}

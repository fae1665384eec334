//! Makes the host calls of an answer from the store, and nothing else: the body is read and not looked at, the values
//! are dropped, the line of log and the answer are fixed. What the app needs beyond this is its own work.
#![cfg(target_family = "wasm")]

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::time::Instant;

use experiment::{Key, spin::Store};
use http_body::Body as _;
use spin_sdk::http::{HeaderValue, Request, Response};
use spin_sdk::http_service;

const ANSWER: &str = r#"{"sentiment":"positive","variant":"promptstore1","cached":true}"#;
const LOG: &[u8] = b"{\"event\":\"sentiment\",\"status\":200,\"variant\":\"promptstore1\",\"outcome\":\"positive\",\"cached\":true,\"elapsed_us\":100}\n";

#[http_service]
async fn handle(request: Request) -> Response<String> {
    let started = Instant::now();
    let mut body = request.into_body();
    let length = body.size_hint().upper();
    let mut read = 0;
    while Some(read) != length {
        let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await else { break };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    let found = Store::open("promptstore1")
        .and_then(|store| store.read(&Key::for_sentence("What a beautiful sunrise!")));
    let answer = if found.is_ok() { ANSWER } else { "{}" };
    drop(found);
    let _ = started.elapsed();
    let _ = io::stdout().write_all(LOG);
    let mut response = Response::new(answer.to_owned());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("content-length", HeaderValue::from(answer.len()));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

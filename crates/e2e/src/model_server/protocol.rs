//! Requests and answers on the wire, in both protocols.

use std::io;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::request::{ModelRequest, Protocol, Reply};
use super::script::State;
use super::strict::{Refusal, Resource};

/// A whole body, or half of one and then an error, on which hyper closes the connection.
type Body = Either<Full<Bytes>, StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>>;

/// Answers a request as the script says. An error closes the connection.
pub(super) async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let request = match read(state, request).await {
        Ok(Asked::Models(list)) => return Ok(whole(StatusCode::OK, list.to_string())),
        Ok(Asked::Completion(request)) => request,
        Err((status, body)) => return Ok(whole(status, body.to_string())),
    };
    state.requests().push(request.clone());
    let refusal = state.script().strictness.refusal(&request);
    if let Some((status, body)) = refusal {
        return Ok(whole(status, body.to_string()));
    }
    Ok(match state.reply(&request).await {
        Reply::Text(text) => whole(StatusCode::OK, completion(&request, &text)),
        Reply::Echo(text) => {
            let echo = format!("{}{text}", request.prompt);
            whole(StatusCode::OK, completion(&request, &echo))
        }
        Reply::Status(status) => {
            let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
            whole(status, error().to_string())
        }
        Reply::RateLimited(seconds) => {
            let mut response = whole(StatusCode::TOO_MANY_REQUESTS, error().to_string());
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
        Reply::NoContent => whole(StatusCode::OK, message(&request, &Value::Null, "length").to_string()),
        Reply::Thinking { reasoning, text } => {
            let mut body = message(&request, &text.into(), "stop");
            body["choices"][0]["message"]["reasoning_content"] = reasoning.into();
            whole(StatusCode::OK, body.to_string())
        }
        Reply::Page => {
            let mut response = whole(StatusCode::OK, "<!doctype html><p>It works!".to_owned());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        Reply::Endless => endless(),
        Reply::Garbage => whole(StatusCode::OK, "<html>It works!</html>".to_owned()),
        Reply::WrongJson => whole(StatusCode::OK, json!({ "hello": ["world"] }).to_string()),
        Reply::CutMidAnswer(text) => half(&completion(&request, &text)),
        Reply::CutBeforeAnswer => return Err(io::Error::other("the script says so")),
        Reply::After(..) => unreachable!("the state waits for the time of a later reply"),
    })
}

enum Asked {
    Completion(ModelRequest),
    Models(Value),
}

async fn read(state: &State, request: Request<Incoming>) -> Result<Asked, Refusal> {
    let malformed = |reason: String| (StatusCode::BAD_REQUEST, json!({ "error": reason }));
    let (head, body) = request.into_parts();
    let protocol = {
        let strictness = &state.script().strictness;
        match strictness.resource(head.method.as_str(), head.uri.path(), head.uri.query())? {
            Resource::Models => return Ok(Asked::Models(strictness.models())),
            Resource::Completion(protocol) => protocol,
        }
    };
    let body = body.collect().await.map_err(|error| malformed(error.to_string()))?.to_bytes();
    let mut body: Value = serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
    let mut take = |pointer: &str| body.pointer_mut(pointer).map(Value::take);
    let model = take("/model");
    let prompt = match protocol {
        Protocol::Infer => take("/prompt"),
        Protocol::OpenAi => take("/messages/0/content"),
    };
    let (Some(Value::String(model)), Some(Value::String(prompt))) = (model, prompt) else {
        return Err(malformed("a request names a model and has a prompt or a message".to_owned()));
    };
    let options = match protocol {
        Protocol::Infer => take("/options").unwrap_or_default(),
        Protocol::OpenAi => {
            if let Some(options) = body.as_object_mut() {
                options.retain(|name, _| name != "model" && name != "messages");
            }
            body
        }
    };
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (authorization, api_key) = (header("authorization"), header("api-key"));
    let path = head.uri.to_string();
    Ok(Asked::Completion(ModelRequest { protocol, path, model, prompt, options, authorization, api_key }))
}

/// A completion on the wire. Tokens are counted as words.
fn completion(request: &ModelRequest, text: &str) -> String {
    match request.protocol {
        Protocol::Infer => json!({
            "text": text,
            "usage": { "promptTokenCount": words(&request.prompt), "generatedTokenCount": words(text) },
        }),
        Protocol::OpenAi => message(request, &text.into(), "stop"),
    }
    .to_string()
}

/// A completion in `OpenAI`'s protocol.
fn message(request: &ModelRequest, content: &Value, finish_reason: &str) -> Value {
    let (prompt_tokens, generated_tokens) =
        (words(&request.prompt), words(content.as_str().unwrap_or_default()));
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": content },
            "finish_reason": finish_reason,
        }],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": generated_tokens,
            "total_tokens": prompt_tokens + generated_tokens,
        },
    })
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn error() -> Value {
    json!({ "error": { "message": "the script says so", "type": "scripted" } })
}

fn whole(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn half(body: &str) -> Response<Body> {
    let first = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let first = stream::once(async { Ok(Frame::data(first)) });
    let cut = stream::once(async {
        // What was not sent when the error comes is never sent: a pause makes hyper send it.
        tokio::task::yield_now().await;
        Err(io::Error::other("the script says so"))
    });
    let mut response = Response::new(Either::Right(StreamBody::new(first.chain(cut).boxed())));
    response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
    response
}

/// A body without an end, in JSON that never closes.
fn endless() -> Response<Body> {
    let chunk = || Ok(Frame::data(Bytes::from_static(&[b'['; 16 * 1024])));
    let body = stream::repeat_with(chunk).then(|chunk| async {
        // Lets others go on between the chunks.
        tokio::task::yield_now().await;
        chunk
    });
    Response::new(Either::Right(StreamBody::new(body.boxed())))
}

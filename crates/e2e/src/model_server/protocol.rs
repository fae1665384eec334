//! Requests and answers on the wire, in both protocols.

use std::io;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{ModelRequest, Protocol, Reply, State};

/// A whole body, or half of one and then an error, on which hyper closes the connection.
type Body = Either<Full<Bytes>, StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>>;

/// Answers a request as the script says. An error closes the connection.
pub(super) async fn answer(state: &State, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let request = match read(request).await {
        Ok(request) => request,
        Err(reason) => return Ok(whole(StatusCode::BAD_REQUEST, reason)),
    };
    Ok(match state.reply(&request).await {
        Reply::Text(text) => whole(StatusCode::OK, completion(&request, &text)),
        Reply::Echo(text) => {
            let echo = format!("{}{text}", request.prompt);
            whole(StatusCode::OK, completion(&request, &echo))
        }
        Reply::Status(status) => {
            let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
            whole(
                status,
                json!({ "error": { "message": "the script says so", "type": "scripted" } }).to_string(),
            )
        }
        Reply::Garbage => whole(StatusCode::OK, "<html>It works!</html>".to_owned()),
        Reply::WrongJson => whole(StatusCode::OK, json!({ "hello": ["world"] }).to_string()),
        Reply::CutMidAnswer(text) => half(&completion(&request, &text)),
        Reply::CutBeforeAnswer => return Err(io::Error::other("the script says so")),
        Reply::After(..) => unreachable!("the state waits for the time of a later reply"),
    })
}

async fn read(request: Request<Incoming>) -> Result<ModelRequest, String> {
    let (head, body) = request.into_parts();
    let protocol = match (head.method.as_str(), head.uri.path()) {
        ("POST", "/infer") => Protocol::Infer,
        ("POST", "/v1/chat/completions") => Protocol::OpenAi,
        (method, path) => return Err(format!("{method} {path} is not a request to a model")),
    };
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let mut body: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let mut take = |pointer: &str| body.pointer_mut(pointer).map(Value::take);
    let model = take("/model");
    let prompt = match protocol {
        Protocol::Infer => take("/prompt"),
        Protocol::OpenAi => take("/messages/0/content"),
    };
    let (Some(Value::String(model)), Some(Value::String(prompt))) = (model, prompt) else {
        return Err("a request names a model and has a prompt or a message".to_owned());
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
    let authorization =
        head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(ModelRequest { protocol, model, prompt, options, authorization })
}

/// A completion on the wire. Tokens are counted as words.
fn completion(request: &ModelRequest, text: &str) -> String {
    let prompt_tokens = request.prompt.split_whitespace().count();
    let generated_tokens = text.split_whitespace().count();
    match request.protocol {
        Protocol::Infer => json!({
            "text": text,
            "usage": { "promptTokenCount": prompt_tokens, "generatedTokenCount": generated_tokens },
        }),
        Protocol::OpenAi => json!({
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": 0,
            "model": request.model,
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": text },
                "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": generated_tokens,
                "total_tokens": prompt_tokens + generated_tokens,
            },
        }),
    }
    .to_string()
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

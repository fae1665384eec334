//! The server, over real connections, as Spin and as any other client would use it.

#![expect(clippy::expect_used, reason = "a helper of a test fails the test")]

use std::time::Duration;

use offline_model::{BODY_LIMIT, NAME, identifies_itself};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const DEFAULT_PROMPT: &str = include_str!("../../../prompts/default.txt");

struct Server {
    address: String,
    stop: oneshot::Sender<()>,
    stopped: tokio::task::JoinHandle<std::io::Result<()>>,
}

struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head[9..12].parse().expect("a status")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, stopping) = oneshot::channel::<()>();
        let stopped = tokio::spawn(offline_model::serve(listener, async {
            let _ = stopping.await;
        }));
        Self { address, stop, stopped }
    }

    async fn send(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: bearer any\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        let mut connection = TcpStream::connect(&self.address).await.expect("a connection");
        connection.write_all(head.as_bytes()).await.expect("the head to be sent");
        connection.write_all(body).await.expect("the body to be sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer in UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        Answer { head: head.to_lowercase(), body: body.to_owned() }
    }
}

#[tokio::test]
async fn spins_protocol() {
    let server = Server::start().await;
    let request = json!({
        "model": "llama2-chat",
        "prompt": DEFAULT_PROMPT.replace("{SENTENCE}", "Such a lovely surprise!"),
        "options": {
            "maxTokens": 6, "repeatPenalty": 1.1, "repeatPenaltyLastNTokenCount": 64,
            "temperature": 0.0, "topK": 40, "topP": 0.9,
        },
    });
    let answer = server.send("POST", "/infer", request.to_string()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json(),
        json!({
            "text": "positive",
            "usage": { "promptTokenCount": 81, "generatedTokenCount": 2 },
            "model": "offline-model",
            "explanation": "positive: VADER scores the sentence +0.7345; with this prompt's examples \
                            +0.3474 or more is positive, -0.0500 or less negative",
        })
    );

    for options in [json!({}), json!({ "options": {} }), json!({ "options": { "maxTokens": 2 } })] {
        let mut request = options;
        request["prompt"] = "User: this is awful".into();
        let answer = server.send("POST", "/infer", request.to_string()).await;
        assert_eq!(answer.json()["text"], "negative", "{request}");
    }
}

#[tokio::test]
async fn open_ais_protocol() {
    let server = Server::start().await;
    let request = json!({
        "model": "llama2-chat",
        "messages": [{ "role": "user", "content": DEFAULT_PROMPT.replace("{SENTENCE}", "Such a lovely surprise!") }],
        "max_completion_tokens": 1,
        "frequency_penalty": 1.1,
    });
    let answer = server.send("POST", "/v1/chat/completions", request.to_string()).await;
    assert_eq!(answer.status(), 200);
    let answer = answer.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], NAME);
    assert!(answer["system_fingerprint"].as_str().is_some_and(|fingerprint| fingerprint.starts_with(NAME)));
    assert_eq!(answer["choices"][0]["message"]["content"], "posi");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"], json!({ "prompt_tokens": 81, "completion_tokens": 1, "total_tokens": 82 }));

    let user = |text: &str| json!({ "role": "user", "content": text });
    let assistant = |text: &str| json!({ "role": "assistant", "content": text });
    let system = json!({ "role": "system", "content": "You love to classify." });
    for (messages, outcome) in [
        (json!([user("Meh, so boring")]), "negative"),
        (json!([system, user("The train leaves at nine.")]), "neutral"),
        (json!([system, user("I aced it"), assistant("positive"), user("I aced it")]), "positive"),
        (
            json!([{ "role": "user", "content": [{ "type": "text", "text": "So " }, { "type": "text", "text": "good" }] }]),
            "positive",
        ),
    ] {
        let request = json!({ "messages": messages, "max_tokens": 6, "stream": false, "n": 1 });
        let answer = server.send("POST", "/v1/chat/completions", request.to_string()).await;
        assert_eq!(answer.json()["choices"][0]["message"]["content"], outcome, "{request}: {}", answer.body);
    }

    let models = server.send("GET", "/v1/models", "").await.json();
    assert_eq!(models["data"][0]["id"], NAME);
}

#[tokio::test]
async fn it_says_what_it_is() {
    let server = Server::start().await;
    let answer = server.send("GET", "/", "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.head.contains("server: offline-model/"), "{}", answer.head);
    assert!(answer.head.contains("not a language model"), "{}", answer.head);
    assert!(answer.body.contains(offline_model::DESCRIPTION));
    assert!(identifies_itself(&answer.body));
    for other in ["", "null", "offline-model", "{\"name\":\"ollama\"}", "<html>offline-model</html>"] {
        assert!(!identifies_itself(other), "{other}");
    }
}

#[tokio::test]
async fn what_it_cannot_read_it_refuses_in_the_protocols_own_shape() {
    let server = Server::start().await;
    let too_long = format!("{{\"prompt\":\"{}\"}}", "x".repeat(BODY_LIMIT));
    let streamed = json!({ "messages": [{ "role": "user", "content": "x" }], "stream": true }).to_string();
    let many = json!({ "messages": [{ "role": "user", "content": "x" }], "n": 2 }).to_string();
    for (method, path, body, status, reason) in [
        ("POST", "/infer", "".as_bytes(), 400, "EOF"),
        ("POST", "/infer", b"hello", 400, "expected value"),
        ("POST", "/infer", b"{}", 400, "missing field `prompt`"),
        ("POST", "/infer", br#"{"prompt":1}"#, 400, "expected a string"),
        ("POST", "/infer", br#"{"prompt":"x","options":{"maxTokens":-1}}"#, 400, "expected u32"),
        ("POST", "/infer", br#"{"prompt":"\ud800"}"#, 400, "hex escape"),
        ("POST", "/infer", b"{\"prompt\":\"\xff\"}", 400, "unicode"),
        ("POST", "/infer", too_long.as_bytes(), 413, "1048576 bytes"),
        ("GET", "/infer", b"", 405, "GET is not allowed"),
        ("POST", "/embed", b"{}", 404, "nothing at /embed"),
        ("POST", "/v1/chat/completions", b"{}", 400, "missing field `messages`"),
        ("POST", "/v1/chat/completions", br#"{"messages":[]}"#, 400, "at least one message"),
        ("POST", "/v1/chat/completions", streamed.as_bytes(), 400, "does not stream"),
        ("POST", "/v1/chat/completions", many.as_bytes(), 400, "one answer"),
        ("DELETE", "/v1/models", b"", 405, "DELETE is not allowed"),
        ("POST", "/v1/embeddings", b"{}", 404, "nothing at /v1/embeddings"),
    ] {
        let answer = server.send(method, path, body).await;
        assert_eq!(answer.status(), status, "{method} {path}: {}", answer.body);
        let message = if path.starts_with("/v1/") {
            answer.json()["error"]["message"].clone()
        } else {
            assert!(answer.head.contains("application/problem+json"), "{}", answer.head);
            assert_eq!(answer.json()["status"], status);
            answer.json()["detail"].clone()
        };
        assert!(
            message.as_str().is_some_and(|message| message.contains(reason)),
            "{method} {path}: {message}"
        );
        assert!(answer.head.contains("server: offline-model/"), "{}", answer.head);
    }
    let next = server.send("POST", "/infer", r#"{"prompt":"great"}"#).await;
    assert_eq!(next.json()["text"], "positive");
}

#[tokio::test]
async fn a_client_that_sent_half_a_request_does_not_hold_up_the_end() {
    let server = Server::start().await;
    let mut half = TcpStream::connect(&server.address).await.expect("a connection");
    half.write_all(b"POST /infer HTTP/1.1\r\ncontent-length: 99\r\n\r\n{").await.expect("half a request");
    // The answer to a second request shows that the server is past accepting the first.
    server.send("GET", "/", "").await;
    server.stop.send(()).expect("a server that listens for the signal");
    let stopped = tokio::time::timeout(Duration::from_secs(20), server.stopped).await;
    stopped.expect("an end in time").expect("no panic").expect("no error");
}

//! Both protocols against a real HTTP server that follows a script.

use std::time::Duration;

use e2e::origin::{Origin, Script};
use futures::future::{join_all, try_join_all};
use http::StatusCode;
use serde_json::{Value, json};
use spin_app::runtime_config::{ApiType, LlmConfig};

use super::{Completion, Embeddings, Inference, ModelClient, ModelError};

const LIMIT: Duration = Duration::from_secs(20);
const INFER: &str = r#"{"text":"positive","usage":{"promptTokenCount":7,"generatedTokenCount":1}}"#;
const CHAT: &str = r#"{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"positive"}},
    {"message":{"content":"second"}}],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}"#;

fn config(url: &str, api: ApiType) -> LlmConfig {
    LlmConfig { url: url.to_owned(), auth_token: "secret token".to_owned(), api }
}

fn client(url: &str, api: ApiType) -> ModelClient {
    ModelClient::new(&config(url, api), LIMIT).unwrap()
}

fn inference() -> Inference {
    Inference {
        model: "llama2-chat".to_owned(),
        prompt: "\"Hi\"\n{SENTENCE} ä😀".to_owned(),
        max_tokens: 6,
        repeat_penalty: 1.5,
        repeat_penalty_last_n_token_count: 64,
        temperature: 0.25,
        top_k: 40,
        top_p: 0.5,
    }
}

fn positive() -> Completion {
    Completion { text: "positive".to_owned(), prompt_tokens: 7, generated_tokens: 1 }
}

#[tokio::test]
async fn asks_as_spin_asks() {
    let default = json!({
        "model": "llama2-chat",
        "prompt": "\"Hi\"\n{SENTENCE} ä😀",
        "options": {
            "maxTokens": 6, "repeatPenalty": 1.5, "repeatPenaltyLastNTokenCount": 64,
            "temperature": 0.25, "topK": 40, "topP": 0.5,
        },
    });
    let open_ai = json!({
        "model": "llama2-chat",
        "messages": [{"role": "user", "content": "\"Hi\"\n{SENTENCE} ä😀"}],
        "max_completion_tokens": 6,
        "frequency_penalty": 1.5,
    });
    // A base path is replaced, as on Spin.
    for base in ["", "/", "/v1", "/some/base/", "/base?query#fragment"] {
        for (api, answer, path, content_type, body) in [
            (ApiType::Default, INFER, "/infer", None, &default),
            (ApiType::OpenAi, CHAT, "/v1/chat/completions", Some("application/json"), &open_ai),
        ] {
            let server = Origin::start(Script::answer(200, answer));
            let client = client(&format!("{}{base}", server.url()), api);
            assert_eq!(client.infer(inference()).await, Ok(positive()));
            let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
            assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", path));
            assert_eq!(request.header("authorization"), Some("bearer secret token"));
            assert_eq!(request.header("content-type"), content_type);
            assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), *body);
        }
    }
}

#[tokio::test]
async fn embeds_as_spin_embeds() {
    let default = r#"{"embeddings":[[0.5,1],[-2]],"usage":{"promptTokenCount":3}}"#;
    let open_ai = r#"{"data":[{"embedding":[0.5,1]},{"embedding":[-2]}],"usage":{"prompt_tokens":3}}"#;
    let cases = [(ApiType::Default, default, "/embed"), (ApiType::OpenAi, open_ai, "/v1/embeddings")];
    for (api, answer, path) in cases {
        let server = Origin::start(Script::answer(200, answer));
        let embeddings = client(&server.url(), api).embed("minilm", &["a".to_owned(), "b".to_owned()]).await;
        let expected = Embeddings { embeddings: vec![vec![0.5, 1.0], vec![-2.0]], prompt_tokens: 3 };
        assert_eq!(embeddings, Ok(expected));
        let request = &server.requests()[0];
        assert_eq!(request.target, path);
        let body = serde_json::from_slice::<Value>(&request.body).unwrap();
        assert_eq!(body, json!({"model": "minilm", "input": ["a", "b"]}));
    }
}

#[tokio::test]
async fn whatever_is_not_the_protocol_is_an_error_with_its_status() {
    let (default, open_ai) = (ApiType::Default, ApiType::OpenAi);
    let cases = [
        (default, 200, "", "(status 200 OK): EOF while parsing"),
        (default, 200, "<html>", "(status 200 OK): expected value"),
        (default, 500, "oh no", "(status 500 Internal Server Error): expected value"),
        (default, 404, r#"{"error":{"message":"no"}}"#, "(status 404 Not Found): missing field `text`"),
        (default, 200, r#"{"text":"positive"}"#, "missing field `usage`"),
        (
            default,
            200,
            r#"{"text":"positive","usage":{"promptTokenCount":-1}}"#,
            "invalid value: integer `-1`",
        ),
        (default, 200, "{\"text\":\"\u{0}\"}", "control character"),
        (default, 200, CHAT, "missing field `promptTokenCount`"),
        (open_ai, 200, INFER, "missing field `prompt_tokens`"),
        (open_ai, 401, r#"{"detail":"no"}"#, "(status 401 Unauthorized): missing field `choices`"),
        (open_ai, 200, r#"{"choices":[{"message":{"content":null}}],"usage":{}}"#, "invalid type: null"),
    ];
    for (api, status, answer, expected) in cases {
        let server = Origin::start(Script::answer(status, answer));
        let error = client(&server.url(), api).infer(inference()).await.unwrap_err();
        let path = if api == default { "/infer" } else { "/v1/chat/completions" };
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("Failed to deserialize response for \"POST {path}\" (status ")),
            "{message}"
        );
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn an_answer_of_the_protocol_counts_whatever_its_status() {
    let cases = [(ApiType::Default, 500, INFER), (ApiType::OpenAi, 201, CHAT)];
    for (api, status, answer) in cases {
        let server = Origin::start(Script::answer(status, answer));
        assert_eq!(client(&server.url(), api).infer(inference()).await, Ok(positive()));
    }
    let none = r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":0}}"#;
    let server = Origin::start(Script::answer(200, none));
    let completion = client(&server.url(), ApiType::OpenAi).infer(inference()).await.unwrap();
    assert_eq!(completion.text, "");
}

#[tokio::test]
async fn an_error_of_open_ai_is_passed_on_in_its_own_words() {
    for (status, answer) in [
        (400, r#"{"error":{"message":"no such model","type":"invalid","code":null}}"#),
        (200, r#"{"error":{"message":"no such model"}}"#),
        (404, r#"{"error":"no such model"}"#),
    ] {
        let server = Origin::start(Script::answer(status, answer));
        let client = client(&server.url(), ApiType::OpenAi);
        let status = StatusCode::from_u16(status).unwrap();
        let refused = ModelError::Refused { status, message: "no such model".to_owned() };
        assert_eq!(client.infer(inference()).await, Err(refused.clone()));
        assert_eq!(client.embed("m", &[]).await, Err(refused.clone()));
        assert_eq!(refused.to_string(), "no such model");
    }
}

#[tokio::test]
async fn a_connection_that_fails_is_an_error_with_its_cause() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(&format!("http://{closed}"), ApiType::Default).infer(inference()).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("POST /infer request error: cannot connect: Connection refused"),
        "{message}"
    );

    for script in [Script::CutBeforeHead, Script::CutInBody] {
        let server = Origin::start(script.clone());
        for (api, path) in [(ApiType::Default, "/infer"), (ApiType::OpenAi, "/v1/chat/completions")] {
            let error = client(&server.url(), api).infer(inference()).await.unwrap_err();
            assert!(matches!(error, ModelError::Request { .. }), "{script:?}: {error:?}");
            let message = error.to_string();
            assert!(message.starts_with(&format!("POST {path} request error: ")), "{script:?}: {message}");
        }
    }
}

#[tokio::test]
async fn the_time_limit_covers_head_and_body() {
    let limit = Duration::from_millis(200);
    for script in [Script::Silence, Script::Trickle] {
        let server = Origin::start(script.clone());
        let client = ModelClient::new(&config(&server.url(), ApiType::Default), limit).unwrap();
        let error = client.infer(inference()).await.unwrap_err();
        assert_eq!(error, ModelError::TimedOut { path: "/infer", limit }, "{script:?}");
        assert_eq!(error.to_string(), "POST /infer request error: timed out after 200ms");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = Origin::start(Script::Flood);
    let error = client(&server.url(), ApiType::Default).infer(inference()).await.unwrap_err();
    assert_eq!(error, ModelError::TooLarge { path: "/infer", limit: 1 << 20 });
}

/// The server answers none of the sixteen before it has them all; and the connections serve the next ones too.
#[tokio::test]
async fn inferences_run_at_once_over_connections_that_are_kept() {
    let server = Origin::start(Script::Together { requests: 16, answer: INFER });
    let client = client(&server.url(), ApiType::Default);
    for _ in 0..3 {
        let completions = try_join_all((0..16).map(|_| client.infer(inference()))).await.unwrap();
        assert_eq!(completions, vec![positive(); 16]);
    }
    assert_eq!(server.requests().len(), 48);
    assert_eq!(server.connections(), 16);
}

/// As the server does it: a single-threaded runtime per core, one client. None needs another to go on, nor to be there.
#[test]
fn serves_several_runtimes() {
    let server = Origin::start(Script::answer(200, INFER));
    let client = client(&server.url(), ApiType::Default);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let infer = |client: ModelClient| async move {
        assert_eq!(join_all((0..4).map(|_| client.infer(inference()))).await, vec![Ok(positive()); 4]);
    };
    let (first, second) = (runtime(), runtime());
    // In turns on one thread: while one runtime runs the other stands still, and its connections with it.
    for _ in 0..5 {
        first.block_on(infer(client.clone()));
        second.block_on(infer(client.clone()));
    }
    drop(first);
    second.block_on(infer(client.clone()));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || runtime().block_on(infer(client)))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn an_address_or_token_that_cannot_be_used_is_refused_at_once() {
    for (url, reason) in [
        ("", "relative URL without a base"),
        ("127.0.0.1:8080", "relative URL without a base"),
        ("localhost:8080", "it starts neither with http:// nor with https://"),
        ("file:///model", "it starts neither with http:// nor with https://"),
        ("http://", "empty host"),
        ("http://host:99999", "invalid port number"),
    ] {
        let error = ModelClient::new(&config(url, ApiType::Default), LIMIT).unwrap_err();
        assert_eq!(error.to_string(), format!("the url of the model is not valid: {reason}"), "{url}");
    }
    let mut config = config("http://host", ApiType::Default);
    let debug = format!("{:?}", ModelClient::new(&config, LIMIT).unwrap());
    assert!(!debug.contains("secret"), "{debug}");
    config.auth_token = "two\nlines".to_owned();
    assert_eq!(ModelClient::new(&config, LIMIT).unwrap_err(), ModelError::Token);
}

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

/// Asks in either protocol; the text of the completion, or what went wrong.
async fn ask(server: &ModelServer, protocol: Protocol, prompt: &str) -> Result<String, String> {
    let (path, body, text) = match protocol {
        Protocol::Infer => {
            ("infer", json!({ "model": "m", "prompt": prompt, "options": { "maxTokens": 6 } }), "/text")
        }
        Protocol::OpenAi => (
            "v1/chat/completions",
            json!({ "model": "m", "messages": [{ "role": "user", "content": prompt }], "max_completion_tokens": 6 }),
            "/choices/0/message/content",
        ),
    };
    let request =
        reqwest::Client::new().post(format!("{}/{path}", server.url())).bearer_auth("token").json(&body);
    let response = request.send().await.map_err(|_| "no answer".to_owned())?;
    let status = response.status();
    let body = response.bytes().await.map_err(|_| "half an answer".to_owned())?;
    if !status.is_success() {
        return Err(status.as_u16().to_string());
    }
    let body: Value = serde_json::from_slice(&body).map_err(|_| "not JSON".to_owned())?;
    body.pointer(text).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| "not the protocol".to_owned())
}

#[tokio::test]
async fn every_reply_in_both_protocols() {
    let server = ModelServer::start().unwrap();
    for protocol in [Protocol::Infer, Protocol::OpenAi] {
        for (reply, expected) in [
            ("positive".into(), Ok("positive")),
            (Reply::Echo(" positive".into()), Ok("the prompt positive")),
            (Reply::Status(503), Err("503")),
            (Reply::Garbage, Err("not JSON")),
            (Reply::RateLimited(7), Err("429")),
            (Reply::Page, Err("not JSON")),
            (Reply::WrongJson, Err("not the protocol")),
            (Reply::CutBeforeAnswer, Err("no answer")),
            (Reply::CutMidAnswer("positive".into()), Err("half an answer")),
            (Reply::from("late").after(Duration::from_millis(1)), Ok("late")),
        ] {
            server.answer_with(reply.clone());
            let answer = ask(&server, protocol, "the prompt").await;
            let answer = answer.as_deref().map_err(String::as_str);
            assert_eq!(answer, expected, "{reply:?} in {protocol:?}");
        }
    }
    assert!(server.requests().len() >= 16);
}

#[tokio::test]
async fn a_reply_goes_by_the_sentence_and_the_last_rule() {
    let server = ModelServer::start().unwrap();
    server.answer_sentence("rain", "negative").answer_sentence("more rain", "positive");
    for (prompt, expected) in [
        ("rain", "negative"),
        ("more rain", "positive"),
        ("[INST]\nUser: rain\nnegative\n[/INST]\nUser: sun", "neutral"),
        ("[INST]\nUser: sun\npositive\n[/INST]\nUser: rain", "negative"),
    ] {
        assert_eq!(ask(&server, Protocol::Infer, prompt).await.as_deref(), Ok(expected), "{prompt}");
    }
}

#[tokio::test]
async fn requests_are_remembered() {
    let server = ModelServer::start().unwrap();
    for (protocol, path, options) in [
        (Protocol::Infer, "/infer", json!({ "maxTokens": 6 })),
        (Protocol::OpenAi, "/v1/chat/completions", json!({ "max_completion_tokens": 6 })),
    ] {
        ask(&server, protocol, "the prompt").await.unwrap();
        let expected = ModelRequest {
            protocol,
            path: path.to_owned(),
            model: "m".into(),
            prompt: "the prompt".into(),
            options,
            authorization: Some("Bearer token".into()),
            api_key: None,
        };
        assert_eq!(server.requests().pop(), Some(expected));
    }
    let stray = reqwest::get(server.url()).await.unwrap();
    assert_eq!((stray.status().as_u16(), server.requests().len()), (404, 2));
}

#[tokio::test]
async fn held_answers_are_counted() {
    let server = ModelServer::start().unwrap();
    let hold = server.hold();
    let asked =
        async { tokio::join!(ask(&server, Protocol::Infer, "a"), ask(&server, Protocol::OpenAi, "b")) };
    let let_go = async {
        server.until_in_flight(2).await;
        assert_eq!(server.in_flight(), 2);
        drop(hold);
    };
    let (answers, ()) = tokio::join!(asked, let_go);
    assert_eq!(answers, (Ok("neutral".into()), Ok("neutral".into())));
    assert_eq!((server.in_flight(), server.most_in_flight()), (0, 2));
}

#[tokio::test]
async fn delays_are_kept() {
    let server = ModelServer::start().unwrap();
    server.answer_with(Reply::from("late").after(Duration::from_millis(80)));
    let started = Instant::now();
    assert_eq!(ask(&server, Protocol::Infer, "x").await.as_deref(), Ok("late"));
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn some_requests_fail_at_random_the_same_with_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let server = ModelServer::start().unwrap();
        server.fail_some(10, seed, Reply::Status(500));
        let mut failed = Vec::new();
        for index in 0..200 {
            if ask(&server, Protocol::Infer, "x").await.is_err() {
                failed.push(index);
            }
        }
        runs.push(failed);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!((8..=35).contains(&runs[0].len()), "{} of 200", runs[0].len());
}

#[tokio::test]
async fn a_dropped_server_is_unreachable_and_can_come_back() {
    let server = ModelServer::start().unwrap();
    let address = server.address();
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
    let server = ModelServer::start_at(address).unwrap();
    assert_eq!(ask(&server, Protocol::Infer, "x").await.as_deref(), Ok("neutral"));
}

/// Sends a request in `OpenAI`'s protocol that asks for everything; its answer.
async fn send(server: &ModelServer, path: &str, token: &str, body: &Value) -> reqwest::Response {
    let request = reqwest::Client::new().post(format!("{}{path}", server.url())).bearer_auth(token);
    request.header("api-key", token).json(body).send().await.unwrap()
}

fn body(parameter: &str) -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": "p" }], parameter: 1 })
}

#[tokio::test]
async fn a_strict_server_refuses_what_it_does_not_take() {
    type Strict = fn(&ModelServer) -> &ModelServer;
    let azure = "/openai/deployments/x/chat/completions?api-version=2024-10-21";
    let azures: Strict =
        |server| server.serve_below("/openai/deployments/x").require_query("api-version=2024-10-21");
    let usual = "/v1/chat/completions";
    let rows: [(Strict, &str, &str, &str, u16, &str); 16] = [
        (|server| server, usual, "token", "seed", 200, ""),
        (|server| server.refuse(&PENALTIES), usual, "token", "seed", 200, ""),
        (|server| server.refuse(&PENALTIES), usual, "token", "frequency_penalty", 400, "frequency_penalty"),
        (|server| server.refuse(&PENALTIES), usual, "token", "presence_penalty", 400, "presence_penalty"),
        (|server| server.refuse(&["max_tokens"]), usual, "token", "max_completion_tokens", 200, ""),
        (|server| server.refuse(&["max_tokens"]), usual, "token", "max_tokens", 400, "max_tokens"),
        (
            |server| server.refuse(&["max_completion_tokens"]),
            usual,
            "token",
            "max_completion_tokens",
            400,
            "max_completion_tokens",
        ),
        (|server| server.refuse(&["seed"]), usual, "token", "seed", 400, "seed"),
        (|server| server.refuse(&["temperature"]), usual, "token", "temperature", 400, "temperature"),
        (|server| server.require_token("secret"), usual, "secret", "seed", 200, ""),
        (|server| server.require_token("secret"), usual, "other", "seed", 401, "provided: other"),
        (|server| server.require_model("n"), usual, "token", "seed", 404, "The model `m` does not exist"),
        (|server| server.serve_below("/openai/v1"), "/openai/v1/chat/completions", "token", "seed", 200, ""),
        (|server| server.serve_below("/openai/v1"), usual, "token", "seed", 404, "Not Found"),
        (azures, azure, "token", "seed", 200, ""),
        (azures, "/openai/deployments/x/chat/completions", "token", "seed", 404, "Not Found"),
    ];
    for (strict, path, token, parameter, status, said) in rows {
        let server = ModelServer::start().unwrap();
        let response = send(strict(&server), path, token, &body(parameter)).await;
        let found = response.status().as_u16();
        let text = response.text().await.unwrap();
        assert!(found == status && text.contains(said), "{path} {token} {parameter}: {found} {text}");
        // A request that is understood is remembered, even if it is refused.
        let remembered: Vec<_> =
            server.requests().into_iter().map(|request| (request.path, request.api_key)).collect();
        let is_found = said != "Not Found";
        assert_eq!(remembered, Vec::from_iter(is_found.then(|| (path.to_owned(), Some(token.to_owned())))));
    }
}

#[tokio::test]
async fn models_are_listed() {
    let server = ModelServer::start().unwrap();
    server.require_model("n").serve_below("/openai/v1");
    let list = reqwest::get(format!("{}/openai/v1/models", server.url())).await.unwrap();
    assert_eq!(list.json::<Value>().await.unwrap()["data"][0]["id"], "n");
}

#[tokio::test]
async fn replies_of_todays_servers() {
    let server = ModelServer::start().unwrap();
    server.answer_with(Reply::RateLimited(7));
    let limited = send(&server, "/v1/chat/completions", "token", &body("seed")).await;
    assert_eq!(limited.headers()["retry-after"], "7");

    server.answer_with(Reply::NoContent);
    let answer: Value =
        send(&server, "/v1/chat/completions", "token", &body("seed")).await.json().await.unwrap();
    let choice = &answer["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&Value::Null, &"length".into()));

    server.answer_with(Reply::Thinking { reasoning: "negative?".into(), text: "positive".into() });
    let answer: Value =
        send(&server, "/v1/chat/completions", "token", &body("seed")).await.json().await.unwrap();
    let message = &answer["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&"positive".into(), &"negative?".into())
    );

    server.answer_with(Reply::Endless);
    let mut endless = send(&server, "/v1/chat/completions", "token", &body("seed")).await;
    let mut read = 0;
    while read < 2 << 20 {
        read += endless.chunk().await.unwrap().expect("it never ends").len();
    }
}

#[tokio::test]
async fn requests_that_are_given_up_are_counted() {
    let server = ModelServer::start().unwrap();
    ask(&server, Protocol::OpenAi, "x").await.unwrap();
    assert_eq!(server.abandoned(), 0);
    let hold = server.hold();
    for (protocol, count) in [(Protocol::Infer, 1), (Protocol::OpenAi, 2)] {
        tokio::select! {
            answer = ask(&server, protocol, "x") => panic!("{answer:?}"),
            () = server.until_in_flight(1) => {}
        }
        server.until_abandoned(count).await;
        assert_eq!((server.abandoned(), server.in_flight()), (count, 0));
    }
    drop(hold);
}

#[tokio::test]
async fn tls_is_trusted_by_who_knows_the_authority() {
    let server = ModelServer::start_with_tls().unwrap();
    let url = format!("{}/v1/models", server.url());
    assert!(url.starts_with("https://127.0.0.1:"));
    assert!(reqwest::get(&url).await.is_err());
    let authority = reqwest::Certificate::from_pem(server.authority().unwrap().as_bytes()).unwrap();
    let client = reqwest::Client::builder().add_root_certificate(authority).build().unwrap();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
}

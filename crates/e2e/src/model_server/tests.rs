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
    for (protocol, options) in [
        (Protocol::Infer, json!({ "maxTokens": 6 })),
        (Protocol::OpenAi, json!({ "max_completion_tokens": 6 })),
    ] {
        ask(&server, protocol, "the prompt").await.unwrap();
        let expected = ModelRequest {
            protocol,
            model: "m".into(),
            prompt: "the prompt".into(),
            options,
            authorization: Some("Bearer token".into()),
        };
        assert_eq!(server.requests().pop(), Some(expected));
    }
    let stray = reqwest::get(server.url()).await.unwrap();
    assert_eq!((stray.status().as_u16(), server.requests().len()), (400, 2));
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

//! What people say of answers.

use e2e::app::{App, FIRST, SECOND};
use e2e::model_server::{ModelServer, Reply};
use e2e::response::Response;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const FEEDBACK: &str = "/api/feedback";
const SENTENCE: &str = "The weather is ruining my day.";

async fn correct(app: &App, sentence: &str, variant: &str, expected: Value) -> Response {
    let body = json!({ "sentence": sentence, "variant": variant, "expected": expected });
    post(app, body.to_string()).await
}

async fn post(app: &App, body: impl Into<reqwest::Body>) -> Response {
    Response::of(app.request(Method::POST, FEEDBACK).body(body)).await.unwrap()
}

#[tokio::test]
async fn a_correction_changes_nothing_else_of_a_record() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let long = "a ".repeat(400);
    for sentence in [SENTENCE, "prompt", "sha256:0", long.trim(), "<b>\u{1f327} \"é\"</b>"] {
        app.ask(sentence).await;
        let key = app.records(FIRST).into_keys().find(|key| key == sentence);
        let key = key.unwrap_or_else(|| {
            let hidden = |value: &Value| value["sentence"] == sentence;
            app.records(FIRST).into_iter().find(|(_, value)| hidden(value)).unwrap().0
        });
        let record = app.records(FIRST)[&key].clone();
        for expected in
            [json!("negative"), json!("neutral"), json!("neutral"), json!("Positive"), Value::Null]
        {
            let response = correct(&app, &format!(" {sentence}\n"), FIRST, expected.clone()).await;
            assert_eq!(response.status, 200, "{}", response.text());
            let expected = expected.as_str().map(str::to_lowercase);
            assert_eq!(
                response.json(),
                json!({ "variant": FIRST, "sentiment": "neutral", "expected": expected })
            );
            let mut with_label = record.clone();
            if let Some(expected) = expected {
                with_label["expected"] = expected.into();
            }
            assert_eq!(app.records(FIRST)[&key], with_label);
            assert!(app.ask(sentence).await.cached, "a label makes no answer stale");
        }
    }
}

#[tokio::test]
async fn nobody_can_fill_a_store() {
    let model = ModelServer::start().unwrap();
    let app = App::with(&model);
    app.write(FIRST, "no record", "positive");
    let before = (app.kept(FIRST), app.kept(SECOND));
    for sentence in [SENTENCE, "prompt", "no record"] {
        let detail = correct(&app, sentence, FIRST, json!("positive")).await.problem(404);
        assert!(detail.contains(FIRST), "{detail}");
    }
    // What one variant answered is no answer of the other.
    let answer = app.ask(SENTENCE).await;
    let other = if answer.variant == FIRST { SECOND } else { FIRST };
    correct(&app, SENTENCE, other, json!("positive")).await.problem(404);
    assert_eq!(app.kept(FIRST).len() + app.kept(SECOND).len(), before.0.len() + before.1.len() + 1);
}

#[tokio::test]
async fn each_mistake_has_its_own_detail() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask(SENTENCE).await;
    let record = app.kept(FIRST);
    let with = |field: &str, value: Value| {
        let mut body = json!({ "sentence": SENTENCE, "variant": FIRST, "expected": "positive" });
        body[field] = value;
        body.to_string().into_bytes()
    };
    let mut details = Vec::new();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"\xff".to_vec(),
        b"{}".to_vec(),
        with("sentence", json!(1)),
        with("sentence", json!(" ")),
        with("sentence", json!("a\0b")),
        with("sentence", json!("a".repeat(4097))),
        with("variant", Value::Null),
        with("variant", json!("prompt")),
        // It has a store, but no part in the experiment.
        with("variant", json!(SECOND)),
        with("expected", json!(true)),
        with("expected", json!("unsure")),
        with("expected", json!("great")),
    ] {
        details.push(post(&app, body).await.problem(400));
    }
    details.push(post(&app, vec![b' '; 64 * 1024 + 1]).await.problem(413));
    let foreign = app.request(Method::POST, FEEDBACK).header("origin", "http://other.example");
    details.push(Response::of(foreign.body(with("variant", json!(FIRST)))).await.unwrap().problem(403));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let response = Response::of(app.request(method, FEEDBACK)).await.unwrap();
        assert_eq!(response.header("allow"), "POST, OPTIONS");
        details.push(response.problem(405));
    }
    let count = details.len();
    details.sort_unstable();
    details.dedup();
    assert_eq!(details.len(), count, "{details:#?}");
    assert_eq!(app.kept(FIRST), record);
    assert_eq!(correct(&app, SENTENCE, FIRST, json!("positive")).await.status, 200);
}

/// A sentence without an outcome is asked about again each time; what people say meanwhile outlives the new record.
#[tokio::test]
async fn a_correction_and_a_new_observation_do_not_lose_each_other() {
    let model = ModelServer::start().unwrap();
    model.answer_with("I cannot say.");
    let app = App::with_one_variant(&model);
    app.ask(SENTENCE).await;

    model.answer_with("positive");
    let hold = model.hold();
    let (answer, ()) = futures::join!(app.ask(SENTENCE), async {
        model.until_in_flight(1).await;
        assert_eq!(correct(&app, SENTENCE, FIRST, json!("negative")).await.json()["sentiment"], "unsure");
        drop(hold);
    });
    assert_eq!((answer.sentiment.as_str(), answer.cached), ("positive", false));
    let record = &app.records(FIRST)[SENTENCE];
    assert_eq!((&record["sentiment"], &record["expected"]), (&json!("positive"), &json!("negative")));

    // A label that is taken back meanwhile does not come back either.
    app.write(FIRST, "prompt", "Another prompt: {SENTENCE}");
    let hold = model.hold();
    let (answer, ()) = futures::join!(app.ask(SENTENCE), async {
        model.until_in_flight(1).await;
        assert_eq!(correct(&app, SENTENCE, FIRST, Value::Null).await.status, 200);
        drop(hold);
    });
    assert!(!answer.cached);
    assert!(app.records(FIRST)[SENTENCE].get("expected").is_none());
}

#[tokio::test]
async fn corrections_at_the_same_time_leave_one_of_them() {
    let model = ModelServer::start().unwrap();
    model.answer_with(Reply::from("I cannot say."));
    let app = App::with_one_variant(&model);
    app.ask(SENTENCE).await;
    let labels = ["positive", "neutral", "negative"];
    let corrections = (0..30).map(|number| correct(&app, SENTENCE, FIRST, json!(labels[number % 3])));
    let observations = (0..10).map(|_| app.ask(SENTENCE));
    let (corrected, observed) = futures::join!(join_all(corrections), join_all(observations));
    assert!(corrected.iter().all(|response| response.status == 200), "{corrected:?}");
    assert_eq!(observed.len(), 10);
    let record = &app.records(FIRST)[SENTENCE];
    assert_eq!(record["sentiment"], "unsure");
    assert!(labels.contains(&record["expected"].as_str().unwrap()), "{record}");
}

//! Visitors' votes on answers.

use std::time::{Duration, Instant};

use e2e::app::{App, FIRST, SECOND};
use e2e::model_server::{ModelServer, Reply};
use e2e::process::PATIENCE;
use e2e::response::Response;
use e2e::store::votes_on;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const FEEDBACK: &str = "/api/feedback";
const SENTENCE: &str = "The weather is ruining my day.";

async fn correct(app: &App, sentence: &str, variant: &str, expected: Value) -> Response {
    let body = json!({ "sentence": sentence, "variant": variant, "expected": expected });
    post(app, body.to_string()).await
}

/// Votes as the visitor of this cookie, or as a client without one behind this address.
async fn vote(app: &App, header: (&str, &str), expected: Value) -> Response {
    let body = json!({ "sentence": SENTENCE, "variant": FIRST, "expected": expected });
    let request = app.request(Method::POST, FEEDBACK).header(header.0, header.1);
    Response::of(request.body(body.to_string())).await.unwrap()
}

fn cookie(number: usize) -> String {
    format!("theme=dark; visitor={number:032x}")
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
            let mut voted = app.records(FIRST)[&key].clone();
            assert_eq!(votes_on(&voted), expected.into_iter().collect::<Vec<_>>());
            voted.as_object_mut().unwrap().remove("votes");
            assert_eq!(voted, record);
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
    assert_eq!((&record["sentiment"], votes_on(record)), (&json!("positive"), vec!["negative".to_owned()]));

    // A label that is taken back meanwhile does not come back either.
    app.write(FIRST, "prompt", "Another prompt: {SENTENCE}");
    let hold = model.hold();
    let (answer, ()) = futures::join!(app.ask(SENTENCE), async {
        model.until_in_flight(1).await;
        assert_eq!(correct(&app, SENTENCE, FIRST, Value::Null).await.status, 200);
        drop(hold);
    });
    assert!(!answer.cached);
    assert!(app.records(FIRST)[SENTENCE].get("votes").is_none());
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
    let votes = votes_on(record);
    assert!(votes.len() == 1 && labels.contains(&votes[0].as_str()), "{record}");
}

#[tokio::test]
async fn a_visitor_has_one_vote_however_often_they_send_it() {
    let model = ModelServer::start().unwrap();
    let app = App::builder()
        .model(&model)
        .variable("variants", FIRST)
        .variable("address_header", "x-real-ip")
        .start();
    app.ask(SENTENCE).await;
    let votes = || votes_on(&app.records(FIRST)[SENTENCE]);
    let header = ("cookie", &*cookie(1));
    for _ in 0..10 {
        let sent = join_all((0..100).map(|_| vote(&app, header, json!("negative")))).await;
        assert!(sent.iter().all(|response| response.status == 200), "{sent:?}");
    }
    assert_eq!(votes(), ["negative"]);
    // Without a cookie, the address is the visitor.
    for number in 0..10 {
        vote(&app, ("x-real-ip", &format!("203.0.113.7:{number}")), json!("positive")).await;
        vote(&app, ("x-real-ip", &format!("2001:db8::{number}")), json!("neutral")).await;
    }
    assert_eq!(votes(), ["negative", "neutral", "positive"]);
    // Each changes and takes back their own, and nobody else's.
    assert_eq!(vote(&app, ("x-real-ip", "203.0.113.7"), json!("neutral")).await.status, 200);
    assert_eq!(votes(), ["negative", "neutral", "neutral"]);
    for stranger in [("cookie", &*cookie(2)), ("x-real-ip", "203.0.113.8"), ("cookie", "visitor=forged")] {
        assert_eq!(vote(&app, stranger, Value::Null).await.status, 200);
    }
    assert_eq!(votes(), ["negative", "neutral", "neutral"]);
    assert_eq!(vote(&app, header, Value::Null).await.status, 200);
    assert_eq!(votes(), ["neutral", "neutral"]);

    let record = app.records(FIRST)[SENTENCE].to_string();
    assert!(
        !record.contains("203.0") && !record.contains("db8") && !record.contains(&cookie(1)[20..]),
        "{record}"
    );
    let log = app.log("recorder", "stdout", "\"event\":\"feedback\"", 1_000);
    assert!(!log.contains("203.0") && !log.contains("db8"), "{log}");
}

#[tokio::test]
async fn a_record_keeps_so_many_votes_and_those_of_unknown_origin() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask(SENTENCE).await;
    // As records were kept when there was one vote, of anybody.
    let mut record = app.records(FIRST)[SENTENCE].clone();
    record["expected"] = "neutral".into();
    app.write(FIRST, SENTENCE, record.to_string());
    for number in 0..16 {
        assert_eq!(vote(&app, ("cookie", &cookie(number)), json!("positive")).await.status, 200);
    }
    let full = app.records(FIRST);
    for number in 16..40 {
        let response = vote(&app, ("cookie", &cookie(number)), json!("negative")).await;
        assert_eq!(
            (response.status, &response.json()["type"]),
            (409, &json!("urn:problem-type:too-many-votes"))
        );
    }
    assert_eq!(app.records(FIRST), full);
    assert_eq!(vote(&app, ("cookie", &cookie(3)), json!("negative")).await.status, 200);
    let record = &app.records(FIRST)[SENTENCE];
    assert_eq!(votes_on(record)[..2], ["negative", "positive"]);
    assert_eq!((votes_on(record).len(), &record["expected"]), (16, &json!("neutral")));

    // All are counted but the one that was written from outside: 15 say positive and one negative of what was found neutral.
    let patience = Instant::now() + PATIENCE;
    loop {
        let results = app.get("/api/results").await.json();
        let accuracy = &results["variants"][0]["accuracy"];
        if (&accuracy["count"], &accuracy["n"]) == (&json!(0), &json!(16)) {
            break;
        }
        assert!(Instant::now() < patience, "{results}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_page_gives_each_visitor_a_vote_of_their_own() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask(SENTENCE).await;
    for count in 1..=2 {
        let variants = app.get("/api/variants").await;
        let cookie = variants.header("set-cookie").split(';').next().unwrap().to_owned();
        assert!(cookie.starts_with("visitor="), "{cookie:?}");
        let again = app.request(Method::GET, "/api/variants").header("cookie", &cookie);
        assert_eq!(Response::of(again).await.unwrap().header("set-cookie"), "");
        for _ in 0..3 {
            vote(&app, ("cookie", &cookie), json!("positive")).await;
        }
        assert_eq!(votes_on(&app.records(FIRST)[SENTENCE]).len(), count);
    }
}

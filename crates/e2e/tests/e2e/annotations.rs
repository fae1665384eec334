//! Shadow answers, and what people who signed in say would be right.

use std::cell::Cell;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::app::{App, AppBuilder, CREDENTIALS, FIRST, JOURNAL, MODEL, SECOND};
use e2e::model_server::{ModelServer, Reply};
use e2e::process::PATIENCE;
use e2e::redis_server::RedisServer;
use e2e::response::Response;
use experiment::journal::{Round, Stratum};
use experiment::{Fingerprint, counter};
use reqwest::Method;
use serde_json::{Value, json};

const ANNOTATIONS: &str = "/api/annotations";
const PROMPTS: [&str; 2] = ["User: first {SENTENCE}", "User: second {SENTENCE}"];

/// An app all of whose variants answer; the model finds everything good with the first prompt, and rain bad with the second.
pub(crate) fn builder(model: &ModelServer) -> AppBuilder {
    model.answer_with("positive").answer_sentence("second rain", "negative");
    App::builder()
        .model(model)
        .store(FIRST, "case-a", [("prompt", PROMPTS[0].as_bytes())])
        .store(SECOND, "case-b", [("prompt", PROMPTS[1].as_bytes())])
        .variable("shadow", "1")
}

async fn call(app: &App, method: Method, path: &str, body: Value, credentials: Option<&str>) -> Response {
    let mut request = app.request(method, path);
    if let Some(credentials) = credentials {
        request = request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(credentials)));
    }
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    Response::of(request).await.unwrap()
}

async fn ok(app: &App, method: Method, path: &str, body: Value) -> Value {
    let response = call(app, method, path, body, Some(CREDENTIALS)).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

async fn annotate(app: &App, sentence: &str, expected: Value) -> Value {
    ok(app, Method::POST, ANNOTATIONS, json!({ "sentence": sentence, "expected": expected })).await
}

/// The same by anybody.
pub(crate) async fn annotate_as(app: &App, credentials: &str, sentence: &str, expected: &str) {
    let body = json!({ "sentence": sentence, "expected": expected });
    let response = call(app, Method::POST, ANNOTATIONS, body, Some(credentials)).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

/// The sentences that wait, sorted, once they are so many.
async fn waiting(app: &App, wanted: usize) -> (Vec<String>, Value) {
    let patience = Instant::now() + PATIENCE;
    loop {
        let next = ok(app, Method::GET, "/api/annotations/next?n=100", Value::Null).await;
        let queue = next["queue"].as_array().unwrap().iter();
        let mut sentences: Vec<_> = queue.map(|it| it["sentence"].as_str().unwrap().to_owned()).collect();
        if sentences.len() == wanted {
            sentences.sort_unstable();
            return (sentences, next);
        }
        assert!(Instant::now() < patience, "{wanted} sentences wanted: {next}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until so many sentences, at least, have been drawn, and the last of them is kept.
pub(crate) async fn drawn(app: &App, wanted: i64) {
    let round = Round::new(PROMPTS.map(Fingerprint::of), MODEL);
    let patience = Instant::now() + PATIENCE;
    loop {
        let rows = app.rows(JOURNAL);
        let count = |stratum| counter::count(rows.get(&round.counter_key(stratum)).map(Vec::as_slice));
        let is_kept = |stratum: Stratum| {
            (0..count(stratum).min(stratum.slots()))
                .all(|slot| rows.contains_key(&round.slot_key(stratum, slot)))
        };
        let drawn: u64 = Stratum::ALL.into_iter().map(count).sum();
        if drawn >= wanted.unsigned_abs() && Stratum::ALL.into_iter().all(is_kept) {
            return;
        }
        assert!(Instant::now() < patience, "{wanted} sentences were not drawn");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn every_variant_answers_a_new_sentence_and_one_answer_is_served() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).start();
    let answer = app.ask("rain").await;
    assert!(!answer.cached);
    assert_eq!(waiting(&app, 1).await.0, ["rain"]);
    assert_eq!(model.requests().len(), 2);
    for (label, sentiment) in [(FIRST, "positive"), (SECOND, "negative")] {
        assert_eq!(app.records(label)["rain"]["sentiment"], sentiment);
    }
    let shadows = app.log("recorder", "stdout", "\"event\":\"shadow\"", 1);
    let log = app.log("sentiment-analysis", "stdout", "\"event\":\"sentiment\"", 1);
    assert_eq!(log.matches("\"event\":\"sentiment\"").count(), 1, "a shadow answer is no assignment: {log}");
    assert!(
        !(shadows.contains("\"event\":\"sentiment\"") || shadows.contains("rain") || log.contains("rain"))
    );
    // From now on every variant knows the sentence.
    for _ in 0..8 {
        assert!(app.ask("rain").await.cached);
    }
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn what_is_served_waits_for_no_shadow_and_fails_with_none() {
    let model = ModelServer::start().unwrap();
    // Spin's model interface would answer one after another.
    let builder = builder(&model).model_server(&model);
    let app = builder.variable("variants", &format!("{FIRST}=10000,{SECOND}=1")).start();
    model.answer_sentence("second slow", Reply::from("neutral").after(Duration::from_mins(10)));
    model.answer_sentence("second broken", Reply::Status(503));
    for sentence in ["slow", "broken", "prompt", "broken again"] {
        assert_eq!((app.ask(sentence).await.sentiment, 0), ("positive".to_owned(), 0));
    }
    // What one variant has not answered is not drawn.
    assert_eq!(waiting(&app, 1).await.0, ["prompt"]);
    app.log("recorder", "stderr", "inference failed", 2);
}

/// Where the model answers one question at a time, a shadow question asked too early would have the next visitor wait for it.
#[tokio::test]
async fn what_is_served_goes_before_shadows() {
    let model = ModelServer::start().unwrap();
    let builder = builder(&model).model_server(&model).variable("model_concurrency", "1");
    let app = builder.variable("variants", &format!("{FIRST}=10000,{SECOND}=1")).start();
    model.answer_sentence("first slow", Reply::from("positive").after(Duration::from_secs(3)));
    model.answer_sentence("second", Reply::from("neutral").after(Duration::from_millis(50)));
    let prompts = || model.requests().into_iter().map(|request| request.prompt).collect::<Vec<_>>();
    let is_shadow = |prompt: &String| prompt.contains("second");

    let quick = async {
        model.until_in_flight(1).await;
        for number in 0..4 {
            assert!(!app.ask(&format!("quick {number}")).await.cached);
        }
        let asked = prompts();
        assert!(model.in_flight() == 1 && asked.len() == 5 && !asked.iter().any(is_shadow), "{asked:?}");
    };
    tokio::join!(app.ask("slow"), quick);

    // Then they are asked one at a time.
    while prompts().len() < 10 {
        assert!(model.in_flight() <= 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(prompts()[5..].iter().all(is_shadow));
    assert_eq!(waiting(&app, 5).await.0.len(), 5);
}

#[tokio::test]
async fn a_model_that_is_always_busy_is_asked_nothing_in_the_shadow() {
    let model = ModelServer::start().unwrap();
    let builder = builder(&model).model_server(&model).variable("model_concurrency", "1");
    let weights = format!("{FIRST}=10000,{SECOND}=1");
    let app = builder.variable("variants", &weights).variable("model_timeout", "2").start();
    model.answer_sentence("first slow", Reply::from("positive").after(Duration::from_mins(1)));
    let (app, stopped) = (&app, &Cell::new(false));
    let busy = |name: &'static str, begin: u64| async move {
        tokio::time::sleep(Duration::from_secs(begin)).await;
        for number in 0.. {
            if stopped.get() {
                return;
            }
            let slow = app.try_ask(&format!("slow {name} {number}")).await;
            assert_eq!(slow.status, 504, "{}", slow.text());
        }
    };
    let quick = async {
        model.until_in_flight(1).await;
        assert_eq!(app.ask("quick").await.sentiment, "positive");
        let patience = Instant::now() + PATIENCE;
        while !app.process().output().contains("a shadow question was not asked") {
            assert!(Instant::now() < patience);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(model.requests().iter().all(|request| !request.prompt.contains("second")));
        stopped.set(true);
    };
    tokio::join!(busy("a", 0), busy("b", 1), quick);
}

#[tokio::test]
async fn annotated_disagreements_decide() {
    let model = ModelServer::start().unwrap();
    decide(&builder(&model).start()).await;
}

#[tokio::test]
async fn a_journal_in_redis() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    let app = builder(&model)
        .redis(FIRST, redis.url(0))
        .redis(SECOND, redis.url(1))
        .redis(JOURNAL, redis.url(2))
        .start();
    for (label, prompt) in [FIRST, SECOND].into_iter().zip(PROMPTS) {
        assert_eq!(app.explorer().set(label, "prompt", prompt).await.status, 200);
    }
    decide(&app).await;
}

/// Nine sentences to which the prompts give different outcomes and one to which they do not; the second is right.
async fn decide(app: &App) {
    for number in 0..9 {
        app.ask(&format!("rain {number}")).await;
    }
    app.ask("sun").await;
    let (sentences, next) = waiting(app, 10).await;
    assert_eq!((&next["annotated"], &next["decided"]), (&json!(0), &json!(false)));
    assert!(next["about_needed"].as_u64().unwrap() > 6, "{next}");
    for field in ["outcome", "answers", "sentiment", "variant", "promptstore", "positive"] {
        assert!(!next.to_string().contains(field), "annotating is blind: {next}");
    }

    let kept = annotate(app, "sun", Value::Null).await;
    assert_eq!(
        (&kept["sentence"], &kept["expected"], &kept["annotated"]),
        (&json!("sun"), &Value::Null, &json!(1))
    );
    for (number, sentence) in sentences.iter().filter(|it| *it != "sun").take(7).enumerate() {
        let kept = annotate(app, &format!(" {sentence}\n"), json!("negative")).await;
        assert_eq!(kept["annotated"], json!(number + 2));
        // The evidence of 7 to 0 is 26.8, the first above 20.
        assert_eq!(kept["decided"], json!(number == 6), "{kept}");
    }
    let (rest, next) = waiting(app, 2).await;
    assert_eq!((&next["about_needed"], &next["decided"]), (&json!(0), &json!(true)));
    // A change of mind, and no mind.
    assert_eq!(annotate(app, "rain 0", json!("neutral")).await["decided"], json!(false));
    assert_eq!(annotate(app, "rain 0", json!("negative")).await["decided"], json!(true));
    let taken_back = ok(app, Method::DELETE, ANNOTATIONS, json!({ "sentence": "rain 0" })).await;
    assert_eq!((&taken_back["annotated"], &taken_back["decided"]), (&json!(7), &json!(false)));
    assert_eq!(waiting(app, 3).await.0.len(), rest.len() + 1);
    // What nobody drew is kept and decides nothing.
    for number in 0..20 {
        let kept = annotate(app, &format!("my own {number}"), json!("negative")).await;
        assert_eq!((&kept["annotated"], &kept["decided"]), (&json!(7), &json!(false)));
    }
}

#[tokio::test]
async fn another_prompt_is_another_comparison() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).start();
    for number in 0..8 {
        app.ask(&format!("rain {number}")).await;
    }
    for sentence in waiting(&app, 8).await.0 {
        annotate(&app, &sentence, json!("negative")).await;
    }
    assert_eq!(waiting(&app, 0).await.1["decided"], json!(true));
    app.write(SECOND, "prompt", "User: third {SENTENCE}");
    let next = waiting(&app, 0).await.1;
    assert_eq!((&next["decided"], &next["annotated"]), (&json!(false), &json!(0)));
    app.write(SECOND, "prompt", PROMPTS[1]);
    assert_eq!(waiting(&app, 0).await.1["decided"], json!(true), "what was annotated stays");
}

/// Otherwise a prompt that often leaves the model unsure would have more tries than the other.
#[tokio::test]
async fn an_answer_that_was_unsure_and_asked_again_counts_by_its_first_outcome() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).start();
    model.answer_sentence("second rain", "banana");
    app.ask("rain").await;
    drawn(&app, 1).await;
    model.answer_sentence("second rain", "negative");
    let mut again = app.ask("rain").await;
    while again.variant != SECOND {
        again = app.ask("rain").await;
    }
    assert_eq!((again.sentiment.as_str(), again.cached), ("negative", false));
    assert_eq!(app.records(SECOND)["rain"]["sentiment"], "negative");
    annotate(&app, "rain", json!("negative")).await;
    let report = app.get("/api/results").await.json();
    let annotated = &report["comparisons"][0]["annotated"];
    assert_eq!((&annotated["compared"], &annotated["annotated"]), (&json!(1), &json!(1)));
    assert_eq!(annotated["signs"], json!({ "first": 0, "second": 0 }), "neither was right at first");

    // The same where the other prompt comes later.
    model.answer_sentence("second snow", "banana");
    let app = app.restart(|app| app.variable("shadow", "0").variable("variants", SECOND));
    app.ask("snow").await;
    model.answer_sentence("second snow", "negative");
    assert_eq!(app.ask("snow").await.sentiment, "negative");
    assert_eq!(app.records(SECOND)["snow"]["at_first"], "unsure");
    let app =
        app.restart(|app| app.variable("shadow", "1").variable("variants", &format!("{FIRST},{SECOND}")));
    while app.ask("snow").await.variant != FIRST {}
    drawn(&app, 2).await;
    annotate(&app, "snow", json!("negative")).await;
    let report = app.get("/api/results").await.json();
    let annotated = &report["comparisons"][0]["annotated"];
    assert_eq!(annotated["annotated"], 2);
    assert_eq!(annotated["signs"], json!({ "first": 0, "second": 0 }), "neither was right at first");
}

#[tokio::test]
async fn only_people_with_credentials_annotate() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).variable("assignment", "visitor").start();
    app.ask("rain").await;
    waiting(&app, 1).await;
    let annotations = || app.rows(JOURNAL);
    let before = annotations();
    let said = json!({ "sentence": "rain", "expected": "negative" });
    for (method, path, body) in [
        (Method::GET, "/api/annotations/next", Value::Null),
        (Method::POST, ANNOTATIONS, said.clone()),
        (Method::DELETE, ANNOTATIONS, json!({ "sentence": "rain" })),
    ] {
        for credentials in [None, Some("ada:wrong"), Some("ada:"), Some(":")] {
            let response = call(&app, method.clone(), path, body.clone(), credentials).await;
            assert_eq!(response.status, 401, "{method} {credentials:?}: {}", response.text());
            assert!(response.header("www-authenticate").starts_with("Basic "));
        }
    }
    for path in ["/api/annotations/disputed", "/api/annotations/next?n=1&user=ada"] {
        assert_eq!(call(&app, Method::GET, path, Value::Null, None).await.status, 401);
    }
    // A page of another site, with the credentials that the browser remembers.
    let authorization = format!("Basic {}", BASE64_STANDARD.encode(CREDENTIALS));
    let request = app.request(Method::POST, ANNOTATIONS).header("origin", "https://elsewhere.example");
    let request = request.header("authorization", &authorization);
    assert_eq!(Response::of(request.body(said.to_string())).await.unwrap().status, 403);
    // Whatever else could stand for credentials: that the request comes from the app's own pages, a visitor's cookie, one that holds
    // what the header would, another scheme, another header, another method than the one that is meant.
    let cookie = app.try_ask("rain").await.header("set-cookie").to_owned();
    for (name, value) in [
        ("origin", app.url("")),
        ("cookie", cookie),
        ("cookie", format!("authorization={authorization}; annotator=ada; session=1")),
        ("authorization", authorization.replace("Basic", "Bearer")),
        ("authorization", "Basic".to_owned()),
        ("proxy-authorization", authorization.clone()),
        ("x-forwarded-user", "ada".to_owned()),
        ("x-http-method-override", "OPTIONS".to_owned()),
    ] {
        let request = app.request(Method::POST, ANNOTATIONS).header(name, &value);
        let response = Response::of(request.body(said.to_string())).await.unwrap();
        assert_eq!(response.status, 401, "{name}: {value}");
    }
    assert_eq!(annotations(), before);
    // What somebody with credentials sent, replayed without them, changes nothing; with them it says the same again.
    let once = annotate(&app, "rain", json!("negative")).await;
    let annotated = annotations();
    assert_ne!(annotated, before);
    let other = json!({ "sentence": "rain", "expected": "positive" });
    for _ in 0..20 {
        for body in [&said, &other] {
            assert_eq!(call(&app, Method::POST, ANNOTATIONS, body.clone(), None).await.status, 401);
        }
        let body = json!({ "sentence": "rain" });
        assert_eq!(call(&app, Method::DELETE, ANNOTATIONS, body, None).await.status, 401);
    }
    assert_eq!(annotations(), annotated);
    assert_eq!(annotate(&app, "rain", json!("negative")).await, once);
    // Visitors vote, and votes are no annotations, however many there are.
    let annotated = annotations();
    for number in 0..1_000 {
        let variant = if number % 2 == 0 { FIRST } else { SECOND };
        let vote = json!({ "sentence": "rain", "variant": variant, "expected": "positive" });
        let status = call(&app, Method::POST, "/api/feedback", vote, None).await.status;
        // So many may be too many for one visitor.
        assert!(status == 200 || status == 429, "{status}");
    }
    assert_eq!(annotations(), annotated);
}

#[tokio::test]
async fn people_who_disagree_see_what_was_said() {
    let model = ModelServer::start().unwrap();
    let people =
        builder(&model).variable("annotator_user", "ada, bob").variable("annotator_password", "together");
    let app = people.start();
    app.ask("rain").await;
    drawn(&app, 1).await;
    let (ada, bob) = ("ada:together", "bob:together");
    let disputed = async |who| {
        let response = call(&app, Method::GET, "/api/annotations/disputed", Value::Null, Some(who)).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    };
    annotate_as(&app, ada, "rain", "negative").await;
    assert_eq!(disputed(bob).await["disputes"], json!([]));
    annotate_as(&app, bob, "rain", "positive").await;
    let seen = disputed(bob).await;
    let given = json!([{ "annotator": "ada", "expected": "negative" }, { "annotator": "bob", "expected": "positive" }]);
    assert_eq!(seen["disputes"], json!([{ "sentence": "rain", "given": given }]));
    assert_eq!(
        (&seen["annotator"], &seen["annotated"], &seen["disputed"]),
        (&json!("bob"), &json!(1), &json!(1))
    );
    for told in [FIRST, SECOND, "answers"] {
        assert!(!seen.to_string().contains(told), "annotating is blind: {seen}");
    }
    // What is disputed decides nothing, and the results say so.
    let report = app.get("/api/results").await.json();
    assert_eq!(report["comparisons"][0]["annotated"]["annotated"], 0);
    assert!(report["warnings"].to_string().contains("Annotators disagree on 1 sentence"), "{report}");
    annotate_as(&app, bob, "rain", "negative").await;
    assert_eq!(disputed(ada).await["disputes"], json!([]));
    let status =
        |credentials| call(&app, Method::GET, "/api/annotations/next", Value::Null, Some(credentials));
    for nobody in ["eve:together", "ada:wrong", "ada, bob:together", ":together"] {
        assert_eq!(status(nobody).await.status, 401, "{nobody}");
    }
}

#[tokio::test]
async fn annotators_may_have_credentials_of_their_own_or_none() {
    let model = ModelServer::start().unwrap();
    let own = builder(&model).variable("annotator_user", "bob").variable("annotator_password", "b:b");
    let app = own.start();
    let status = async |app: &App, credentials| {
        call(app, Method::GET, "/api/annotations/next", Value::Null, Some(credentials)).await.status
    };
    assert_eq!((status(&app, "bob:b:b").await, status(&app, CREDENTIALS).await), (200, 401));
    let app = builder(&model).credentials(":").start();
    assert_eq!((status(&app, ":").await, status(&app, CREDENTIALS).await), (403, 403));
}

#[tokio::test]
async fn bad_requests() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).start();
    let cases = [
        (Method::GET, "/api/annotations/next?n=0", "", 400),
        (Method::GET, "/api/annotations/next?n=many", "", 400),
        (Method::GET, ANNOTATIONS, "", 405),
        (Method::POST, "/api/annotations/disputed", "{}", 405),
        (Method::POST, "/api/annotations/next", "{}", 405),
        (Method::POST, ANNOTATIONS, "", 400),
        (Method::POST, ANNOTATIONS, "[]", 400),
        (Method::POST, ANNOTATIONS, r#"{"sentence": "a"}"#, 400),
        (Method::POST, ANNOTATIONS, r#"{"sentence": " ", "expected": null}"#, 400),
        (Method::POST, ANNOTATIONS, r#"{"sentence": "a", "expected": "unsure"}"#, 400),
        (Method::DELETE, ANNOTATIONS, r#"{"sentence": 5}"#, 400),
    ];
    for (method, path, body, status) in cases {
        let request = app.request(method.clone(), path).body(body);
        let request =
            request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(CREDENTIALS)));
        let response = Response::of(request).await.unwrap();
        assert_eq!(response.status, status, "{method} {path} {body}: {}", response.text());
        assert_eq!(response.header("content-type"), "application/problem+json");
    }
}

/// On Spin, adding to a value that is not a counter makes the host panic.
#[tokio::test]
async fn a_foreign_value_where_a_counter_should_be() {
    let model = ModelServer::start().unwrap();
    let app = builder(&model).start();
    let round = Round::new(PROMPTS.map(Fingerprint::of), MODEL);
    app.write(JOURNAL, &round.counter_key(Stratum::Differ), "three");
    assert!(!app.ask("rain").await.cached);
    let log = app.log("recorder", "stderr", "a sentence was not drawn", 1);
    assert!(log.contains("`journal`"), "{log}");
    app.ask("sun").await;
    assert_eq!(waiting(&app, 1).await.0, ["sun"]);
}

//! How many new sentences there may be: from one address, and in all.

use std::time::{Duration, Instant, SystemTime};

use e2e::app::{App, AppBuilder, FIRST, JOURNAL, MODEL, SENTIMENT};
use e2e::browser::{Browser, ENTER};
use e2e::model_server::{ModelServer, Reply};
use e2e::process::PATIENCE;
use e2e::redis_server::RedisServer;
use e2e::response::Response;
use e2e::runtime::embedded_only;
use experiment::journal::limits::Window;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::annotations;
use crate::pages::{CARD, FIELD, until_cards};

/// An app with these limits, `x-forwarded-for` naming the client.
fn limited(model: &ModelServer, per_address: &str, in_all: &str) -> AppBuilder {
    App::builder()
        .model(model)
        .variable("variants", FIRST)
        .variable("fresh_per_address", per_address)
        .variable("fresh_in_all", in_all)
        .variable("address_header", "x-forwarded-for")
}

/// Asks from an address.
async fn ask_from(app: &App, address: &str, sentence: &str) -> Response {
    let request = app.request(Method::POST, SENTIMENT).header("x-forwarded-for", address);
    Response::of(request.body(json!({ "sentence": sentence }).to_string())).await.unwrap()
}

/// The detail of a refusal, which this has to be.
fn refused(response: &Response) -> String {
    let problem = response.json();
    assert_eq!(
        (response.status, response.header("content-type"), &problem["type"]),
        (429, "application/problem+json", &json!("urn:problem-type:too-many-new-sentences")),
        "{problem}"
    );
    let seconds: u64 = response.header("retry-after").parse().unwrap();
    assert!((1..=3_600).contains(&seconds), "{seconds}");
    problem["detail"].as_str().unwrap().to_owned()
}

/// Counters start over with the hour. A test that would see it end waits for the next one.
async fn within_an_hour() -> Window {
    loop {
        let (window, left) = Window::at(SystemTime::now());
        if left > PATIENCE {
            return window;
        }
        tokio::time::sleep(left).await;
    }
}

#[tokio::test]
async fn an_address_has_so_many_new_sentences() {
    let model = ModelServer::start().unwrap();
    let app = limited(&model, "3", "0").start();
    within_an_hour().await;
    let address = "203.0.113.7";
    for number in 0..3 {
        // What the client itself says is left of what the proxy adds.
        let forwarded = format!("198.51.100.{number}, {address}");
        assert!(!ask_from(&app, &forwarded, &format!("Sentence {number}")).await.answer().cached);
    }
    let before = (app.records(FIRST), app.rows(JOURNAL));
    for forwarded in [address, "10.0.0.1,203.0.113.7", "203.0.113.7:4711", "::ffff:203.0.113.7"] {
        let detail = refused(&ask_from(&app, forwarded, "Another").await);
        assert!(detail.contains("3 new sentences an hour from your network"), "{detail}");
    }
    // What is known is answered, and what is refused leaves no trace and asks nobody.
    for number in 0..3 {
        assert!(ask_from(&app, address, &format!("Sentence {number}")).await.answer().cached);
    }
    assert_eq!((app.records(FIRST), app.rows(JOURNAL)), before);
    assert_eq!(model.requests().len(), 3);
    // Others are not limited by that.
    assert!(!ask_from(&app, "203.0.113.8", "Another").await.answer().cached);
    assert!(!app.ask("A client without the header").await.cached);
    // A network of IPv6 is one visitor's.
    for (host, status) in [("1", 200), ("2:3", 200), ("ffff:0:0:1", 200), ("4", 429)] {
        let response = ask_from(&app, &format!("2001:db8::{host}"), &format!("From {host}")).await;
        assert_eq!(response.status, status, "{}", response.text());
    }
    assert_eq!(ask_from(&app, "2001:db8:0:1::4", "From a neighbour").await.status, 200);

    let log = app.log("sentiment-analysis", "stdout", "\"status\":429", 5);
    let errors = app.log("recorder", "stderr", "fresh_per_address", 1);
    let journal: Vec<_> = app.rows(JOURNAL).into_iter().collect();
    let kept = format!("{log}{errors}{}", journal.iter().map(|(key, _)| key.as_str()).collect::<String>());
    assert!(!kept.contains("203.0") && !kept.contains("2001:") && !kept.contains("db8"), "{kept}");
    assert!(journal.iter().all(|(_, value)| !String::from_utf8_lossy(value).contains("203.0")));
}

#[tokio::test]
async fn a_sentence_without_an_outcome_is_a_new_one_each_time() {
    let model = ModelServer::start().unwrap();
    model.answer_with("I cannot say.").answer_sentence("broken", Reply::Status(503));
    let app = limited(&model, "3", "").start();
    within_an_hour().await;
    for (sentence, status) in [("vague", 200), ("vague", 200), ("broken", 502), ("vague", 429), ("new", 429)]
    {
        let response = app.try_ask(sentence).await;
        assert_eq!(response.status, status, "{sentence}: {}", response.text());
    }
    assert_eq!(model.requests().len(), 3);
}

#[tokio::test]
async fn all_together_have_so_many_however_many_ask_at_once() {
    let model = ModelServer::start().unwrap();
    let app = limited(&model, "0", "10").start();
    within_an_hour().await;
    let sentences: Vec<_> =
        (0..40).map(|number| (format!("10.0.0.{number}"), format!("Sentence {number}"))).collect();
    let asked = sentences.iter().map(|(address, sentence)| ask_from(&app, address, sentence));
    let answers = join_all(asked).await;
    assert_eq!(answers.iter().filter(|response| response.status == 200).count(), 10);
    for response in answers.iter().filter(|response| response.status != 200) {
        let detail = refused(response);
        assert!(detail.contains("10 new sentences an hour from all visitors together"), "{detail}");
    }
    assert_eq!((model.requests().len(), app.records(FIRST).len()), (10, 10));
}

#[tokio::test]
async fn the_limits_hold_for_all_instances_that_share_a_journal() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    let start = |database| {
        limited(&model, "3", "5").redis(FIRST, redis.url(database)).redis(JOURNAL, redis.url(7)).start()
    };
    let apps = [start(1), start(2)];
    within_an_hour().await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        let app = &apps[number % 2];
        statuses.push(ask_from(app, "203.0.113.7", &format!("Sentence {number}")).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let asked = (0..12).map(|number| {
        let address = format!("198.51.100.{number}");
        let app = &apps[number % 2];
        async move { ask_from(app, &address, &format!("More {number}")).await.status }
    });
    let statuses = join_all(asked).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(model.requests().len(), 5);
}

#[tokio::test]
async fn what_is_refused_has_no_shadow() {
    let model = ModelServer::start().unwrap();
    let app = annotations::builder(&model).variable("fresh_per_address", "2").start();
    within_an_hour().await;
    for (sentence, status) in [("sun", 200), ("rain", 200), ("snow", 429), ("wind", 429)] {
        assert_eq!(app.try_ask(sentence).await.status, status, "{sentence}");
    }
    annotations::drawn(&app, 2).await;
    let asked = model.requests();
    assert_eq!(asked.len(), 4, "two sentences, two prompts: {asked:?}");
}

#[tokio::test]
async fn counters_of_earlier_hours_are_deleted() {
    let model = ModelServer::start().unwrap();
    let app = limited(&model, "3", "100").start();
    let window = within_an_hour().await;
    let old = ["limit:1:all", "limit:1:77", "limit:77777777:3"];
    for key in old {
        app.write(JOURNAL, key, 3_i64.to_le_bytes());
    }
    app.write(JOURNAL, "limit:hours", "[1, 77777777]");
    app.write(JOURNAL, "limit:of another app", "kept");
    app.ask("A new sentence").await;
    let patience = Instant::now() + PATIENCE;
    while old.iter().any(|key| app.rows(JOURNAL).contains_key(*key)) {
        assert!(Instant::now() < patience, "{:?}", app.rows(JOURNAL).keys());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rows = app.rows(JOURNAL);
    assert_eq!(rows[&window.key_of_all()], 1_i64.to_le_bytes());
    assert!(rows.contains_key(&window.key_of("127.0.0.1")) && rows.contains_key("limit:of another app"));
}

/// On Spin, adding to a value that is not a counter makes the host panic.
#[tokio::test]
async fn foreign_values_and_no_journal_keep_no_answer_back() {
    let model = ModelServer::start().unwrap();
    let foreign = limited(&model, "1", "1").start();
    let window = within_an_hour().await;
    for key in [window.key_of_all(), window.key_of("127.0.0.1")] {
        foreign.write(JOURNAL, &key, "three");
    }
    // On Spin it would take long, for tallies too: the server is waited for.
    let redis = embedded_only("Spin waits for a Redis server that is gone")
        .then(|| RedisServer::start(&[]))
        .flatten();
    let absent = redis.map(|redis| limited(&model, "1", "1").redis(JOURNAL, redis.url(0)).start());
    for app in [Some(foreign), absent].into_iter().flatten() {
        for number in 0..40 {
            assert!(!app.ask(&format!("Sentence {number}")).await.cached);
        }
        let log = app.log("recorder", "stderr", "new sentences are not limited", 1);
        // Once for each instance, of which there may be some: one that still counts takes no request.
        assert!(log.matches("new sentences are not limited").count() < 20, "{log}");
    }
}

#[tokio::test]
async fn the_page_says_when_new_sentences_are_analysed_again() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    let app = limited(&model, "1", "").start();
    within_an_hour().await;
    browser.open(&app.url("/")).await;
    browser.enter(FIELD, &format!("The first{ENTER}")).await;
    until_cards(&browser, 1, "neutral").await;
    browser.enter(FIELD, &format!("The second{ENTER}")).await;
    until_cards(&browser, 1, "failed").await;
    let card = browser.text(CARD).await;
    for part in
        ["The limit of 1 new sentence an hour from your network is reached.", "Try again after ", ":00:0"]
    {
        assert!(card.contains(part), "{part:?} is not in {card:?}");
    }
    browser.enter(FIELD, &format!("The first{ENTER}")).await;
    until_cards(&browser, 2, "neutral").await;
}

#[tokio::test]
async fn there_are_limits_unless_told_otherwise() {
    let model = ModelServer::start().unwrap();
    let app =
        App::builder().no_variables().model(&model).variable("model", MODEL).variable("shadow", "0").start();
    within_an_hour().await;
    for number in 0..100 {
        app.ask(&format!("Sentence {number}")).await;
    }
    refused(&app.try_ask("One more").await);
}

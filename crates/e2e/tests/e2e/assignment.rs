//! Which variant answers.

use std::collections::{BTreeMap, BTreeSet};

use e2e::app::{App, FIRST, SECOND, SENTIMENT};
use e2e::model_server::ModelServer;
use e2e::response::Response;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::json;

/// Asks a thousand fresh sentences, and gives those that each variant answered.
async fn ask_a_thousand(app: &App) -> BTreeMap<String, BTreeSet<String>> {
    let ask = |number: usize| async move {
        let sentence = format!("Sentence number {number}");
        let answer = app.ask(&sentence).await;
        assert!(!answer.cached);
        (answer.variant, sentence)
    };
    let answers: Vec<_> = stream::iter((0..1000).map(ask)).buffer_unordered(8).collect().await;
    let mut answered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (variant, sentence) in answers {
        answered.entry(variant).or_default().insert(sentence);
    }
    answered
}

/// The bounds are those of 3.8 standard deviations and more: chance breaks one in seven thousand runs.
#[tokio::test]
async fn variants_are_drawn_by_weight_and_keep_their_own_observations() {
    let cases = [
        ("promptstore1,promptstore2", 440..=560),
        ("promptstore1=10,promptstore2=90", 60..=140),
        ("promptstore2", 0..=0),
    ];
    let model = ModelServer::start().unwrap();
    for (variants, expected) in cases {
        let app = App::builder().model(&model).variable("variants", variants).start();
        let mut answered = ask_a_thousand(&app).await;
        let first = answered.get(FIRST).map_or(0, BTreeSet::len);
        assert!(expected.contains(&first), "{first} of 1000 at {variants}");
        for label in [FIRST, SECOND] {
            let kept: BTreeSet<String> = app.records(label).into_keys().collect();
            assert_eq!(kept, answered.remove(label).unwrap_or_default(), "{label} at {variants}");
        }
        assert!(answered.is_empty());
    }
}

#[tokio::test]
async fn a_visitor_keeps_the_variant() {
    let model = ModelServer::start().unwrap();
    let app = App::builder().model(&model).variable("assignment", "visitor").start();
    let app = &app;
    let ask = |cookie: Option<String>, number: usize| async move {
        let mut request = app.request(Method::POST, SENTIMENT);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let body = json!({ "sentence": format!("Sentence {number}") }).to_string();
        let response = Response::of(request.body(body)).await.unwrap();
        let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
        (response.answer().variant, cookie)
    };
    let mut variants = BTreeSet::new();
    // The chance that 30 visitors all get the same variant is one in five hundred million.
    for visitor in 0..30 {
        let (variant, cookie) = ask(None, visitor).await;
        assert!(cookie.starts_with("visitor="), "a new visitor gets a cookie: {cookie:?}");
        for number in 0..4 {
            let (again, no_cookie) =
                ask(Some(format!("theme=dark; {cookie}")), 1000 * visitor + number).await;
            assert_eq!((again.as_str(), no_cookie.as_str()), (variant.as_str(), ""), "{cookie}");
        }
        variants.insert(variant);
    }
    assert_eq!(variants.into_iter().collect::<Vec<_>>(), [FIRST, SECOND]);
    let (_, cookie) = ask(Some("visitor=forged".to_owned()), 0).await;
    assert!(cookie.starts_with("visitor="), "what is no visitor is replaced: {cookie:?}");
}

//! Tallies are in the store that holds what they count: they travel with it, and nothing takes them for sentences.

use std::process::Command;

use e2e::app::{App, FIRST, SECOND, TALLIES};
use e2e::artifacts;
use e2e::browser::Browser;
use e2e::cluster::audit;
use e2e::model_server::ModelServer;
use e2e::redis_server::RedisServer;
use e2e::runtime::{clean_environment, embedded_only};
use experiment::tally::{self, INDEX_KEY};
use experiment::{Fingerprint, counter};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::explorer_beyond::{ok, post};
use crate::explorer_page::{open, until_text, until_texts};
use crate::results::results_when;

const PROMPT: &str = "User: first {SENTENCE}";

/// How many observations a variant has, and how many stale ones.
fn counts(report: &Value, variant: usize) -> (Option<u64>, Option<u64>) {
    let variant = &report["variants"][variant];
    (variant["n"].as_u64(), variant["stale"].as_u64())
}

async fn ask(app: &App, name: &str, times: u64) {
    for number in 0..times {
        app.ask(&format!("{name} {number}")).await;
    }
}

/// As they are, without the command line, which would convert the counters: the app does so when it next adds to them.
#[tokio::test]
async fn a_store_goes_to_redis_and_back_as_it_is() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let one = || App::builder().model(&model).variable("variants", FIRST);
    let app = one().store(FIRST, "case-a", [("prompt", PROMPT.as_bytes())]).start();
    ask(&app, "here", 3).await;
    let report = results_when(&app, |report| counts(report, 0) == (Some(3), Some(0))).await;
    let (latency, tokens) =
        (report["variants"][0]["latency"].clone(), report["variants"][0]["tokens"].clone());
    let export =
        async |app: &App| app.explorer().call(Method::GET, &format!("/stores/{FIRST}/export"), None).await;
    let mut exported = export(&app).await.body.to_vec();

    for (name, n) in [("in Redis", 5), ("back", 7)] {
        let app = match name {
            "in Redis" => one().redis(FIRST, redis.url(0)).start(),
            _ => one().store(FIRST, "case-a", []).start(),
        };
        ok(&post(&app.explorer(), &format!("{FIRST}/import"), exported).await);
        let report = results_when(&app, |report| counts(report, 0) == (Some(n - 2), Some(0))).await;
        if n == 5 {
            assert_eq!(
                (&report["variants"][0]["latency"], &report["variants"][0]["tokens"]),
                (&latency, &tokens)
            );
        }
        assert!(app.ask("here 0").await.cached);
        ask(&app, name, 2).await;
        results_when(&app, |report| counts(report, 0) == (Some(n), Some(0))).await;
        exported = export(&app).await.body.to_vec();
    }
}

/// A node that is told to end, as rolling updates do, leaves nothing uncounted and no sentence half asked.
#[tokio::test]
async fn what_follows_an_answer_is_finished_before_the_app_ends() {
    const SENTENCES: usize = 8;
    if !embedded_only("Spin ends at once") {
        return;
    }
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let mut app = App::builder().model(&model).variable("shadow", "1").start();
    let sentences: Vec<String> = (0..SENTENCES).map(|number| format!("Sentence {number}")).collect();
    join_all(sentences.iter().map(|sentence| app.ask(sentence))).await;
    app.process().signal("TERM");
    assert!(app.wait().success());
    for (label, name) in [(FIRST, "case-a"), (SECOND, "case-b")] {
        let rows = app.store_file(name).rows(label);
        assert!(sentences.iter().all(|sentence| rows.contains_key(sentence)), "{label}: {:?}", rows.keys());
        let (counted, recorded) = audit::tallies(&rows);
        assert_eq!(counted, recorded, "{label}");
    }
}

#[tokio::test]
async fn variants_that_change_their_stores_change_their_tallies() {
    if !embedded_only("Spin reads the runtime config once, at start") {
        return;
    }
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app =
        App::builder().model(&model).variable("variants", &format!("{FIRST}=100000,{SECOND}=1")).start();
    ask(&app, "first", 4).await;
    results_when(&app, |report| counts(report, 0) == (Some(4), Some(0))).await;
    let link = |arguments: &[&str]| {
        let mut command = Command::new(artifacts::ab());
        command.args(arguments).arg("--from").arg(app.manifest_folder());
        command.arg("--runtime-config-file").arg(app.runtime_config());
        clean_environment(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let path = |name: &str| app.store_file(name).path().display().to_string();
    link(&["unlink", "key-value", FIRST]);
    link(&["unlink", "key-value", SECOND]);
    link(&["link", "key-value", FIRST, "--store", &path("case-b")]);
    link(&["link", "key-value", SECOND, "--store", &path("case-a")]);
    let swapped = |report: &Value| (counts(report, 0).0, counts(report, 1).0) == (Some(0), Some(4));
    results_when(&app, swapped).await;
    ask(&app, "second", 2).await;
    let counted = |report: &Value| (counts(report, 0).0, counts(report, 1).0) == (Some(2), Some(4));
    results_when(&app, counted).await;
}

#[tokio::test]
async fn a_foreign_value_where_a_tally_should_be() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    ask(&app, "first", 1).await;
    results_when(&app, |report| counts(report, 0) == (Some(1), Some(0))).await;
    let answers = app.rows(FIRST).into_keys().find(|key| key.ends_with("answer:positive")).unwrap();
    for (value, n, warnings) in [("many", 0, 2), ("7", 9, 2), ("", 0, 4), ("12345678", 12_345_680, 4)] {
        app.write(FIRST, &answers, value);
        assert!(!app.ask(&format!("a {value:?}")).await.cached);
        app.ask(&format!("another {value:?}")).await;
        // One is read as none, and stays; a number is counted on, whatever its form.
        results_when(&app, |report| counts(report, 0) == (Some(n), Some(0))).await;
        let latency = |report: &Value| report["variants"][0]["latency"]["n"].as_u64();
        assert!(latency(&app.get("/api/results").await.json()) > Some(0));
        app.log("recorder", "stderr", "an observation was not counted", warnings);
    }
}

#[tokio::test]
async fn sentences_that_look_like_tallies_are_sentences() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    // An earlier version kept this one so.
    let prompt = Fingerprint::of(str::from_utf8(&app.rows(FIRST)["prompt"]).unwrap());
    let old = json!({ "sentiment": "negative", "prompt": prompt, "model": e2e::app::MODEL }).to_string();
    app.write(FIRST, "tally: two to one", &old);
    for sentence in [INDEX_KEY, "tally: two to one", "tally:"] {
        let answer = app.ask(sentence).await;
        assert_eq!((answer.cached, &*answer.sentiment), (false, "positive"), "{sentence}");
        assert!(app.ask(sentence).await.cached, "{sentence}");
        let kept = app.records(FIRST).into_values().filter(|record| record["sentence"] == sentence);
        assert_eq!(kept.count(), 1, "{sentence}");
    }
    results_when(&app, |report| counts(report, 0) == (Some(3), Some(0))).await;
    assert_eq!(app.rows(FIRST)["tally: two to one"], old.as_bytes());
}

#[tokio::test]
async fn the_explorer_tells_them_from_sentences() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    for sentence in ["a", "z", "zz"] {
        app.ask(sentence).await;
    }
    results_when(&app, |report| counts(report, 0) == (Some(3), Some(0))).await;
    let tallies = app.rows(FIRST).into_keys().filter(|key| key.starts_with(TALLIES)).count();
    open(&browser, &app, &format!("store={FIRST}")).await;
    until_texts(&browser, ".count", &[&format!("Prompt, 3 other keys and {tallies} tally keys")]).await;
    until_texts(&browser, "store-tabs [aria-current=page] span:last-child", &["3"]).await;
    let first = "[...document.querySelectorAll('.entry-row .key')].slice(0, 4).map((it) => it.textContent)";
    assert_eq!(browser.run(&format!("return {first};"), &[]).await, json!(["prompt", "a", "z", "zz"]));
    let rows = app.rows(FIRST);
    let (key, value) = rows.iter().find(|(key, _)| key.ends_with("answer:positive")).unwrap();
    assert!(tally::is_counter(key) && counter::read(value) == Some(3));
    browser
        .run(
            "location.hash = new URLSearchParams({ store: arguments[0], key: arguments[1] });",
            &[FIRST.into(), key.as_str().into()],
        )
        .await;
    until_text(&browser, "3").await;
    until_texts(&browser, ".value-foot", &["Counter, 8 bytes"]).await;
    // A store that is not open is counted as well, and nothing is compared that is not a sentence.
    open_again(&browser, &app, &format!("store={SECOND}")).await;
    until_texts(&browser, "store-tabs a > span", &[FIRST, "3", SECOND, "0"]).await;
    open_again(&browser, &app, &format!("store={FIRST}&against={SECOND}")).await;
    browser
        .until("document.querySelector('compare-view .segments label')?.textContent.includes('All 3')")
        .await;
    browser.assert_clean(&app.url("")).await;
}

async fn open_again(browser: &Browser, app: &App, place: &str) {
    browser.open(&app.url("/")).await;
    browser.open(&app.url(&format!("{}/#{place}", e2e::explorer::ROUTE))).await;
}

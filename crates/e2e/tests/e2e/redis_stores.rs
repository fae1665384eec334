//! Stores in Redis: they do whatever those in files do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use e2e::app::{App, CREDENTIALS, FIRST, JOURNAL, SECOND, SENTIMENT, TALLIES};
use e2e::cluster::audit;
use e2e::cluster::wire::{Quality, Wire};
use e2e::explorer::{Explorer, safe};
use e2e::model_server::ModelServer;
use e2e::process::{PATIENCE, until};
use e2e::redis_server::RedisServer;
use e2e::response::Response;
use e2e::runtime::{Runtime, runtime};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::explorer_beyond::{call_with, ok, post};
use crate::results::results_when;

/// Keys that Redis could take for patterns, values that are not text.
const ENTRIES: [(&str, &[u8]); 4] =
    [("*", b"\0\xff"), ("[ab]", b""), ("a", b"\xc3"), ("Sentence ?", b"\r\n$-1\r\n")];

fn app(redis: &RedisServer) -> App {
    App::builder().redis(FIRST, redis.url(0)).redis(SECOND, redis.url(1)).start()
}

async fn set_all(explorer: &Explorer, label: &str) {
    for (key, value) in ENTRIES {
        let path = format!("/stores/{label}/keys/{}", safe(key));
        ok(&explorer.call(Method::PUT, &path, Some(value.to_vec())).await);
    }
}

#[tokio::test]
async fn answers_corrections_and_results() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::builder().model(&model).redis(FIRST, redis.url(0)).redis(SECOND, redis.url(1)).start();
    let explorer = app.explorer();
    let prompts = [(FIRST, "The first. {SENTENCE}"), (SECOND, "The second. {SENTENCE}")];
    for (label, prompt) in prompts {
        assert_eq!(explorer.set(label, "prompt", prompt).await.status, 200);
    }
    let mut expected = BTreeMap::from([FIRST, SECOND].map(|label| (label, vec!["prompt".to_owned()])));
    // The chance that either variant gets none of 30 sentences is one in five hundred million.
    for number in 0..30 {
        let sentence = format!("Sentence {number:02}");
        let answer = app.ask(&sentence).await;
        assert!(!answer.cached);
        let asked = model.requests().pop().unwrap().prompt;
        let (label, prompt) = *prompts.iter().find(|(label, _)| *label == answer.variant).unwrap();
        assert_eq!(asked, prompt.replace("{SENTENCE}", &sentence));
        let body = json!({ "sentence": sentence, "variant": label, "expected": "negative" }).to_string();
        let corrected = Response::of(app.request(Method::POST, "/api/feedback").body(body)).await.unwrap();
        let correction = json!({ "variant": label, "sentiment": "positive", "expected": "negative" });
        assert_eq!(ok(&corrected), correction);
        expected.get_mut(label).unwrap().push(sentence);
    }
    let kept = async |label: &str| {
        let mut kept = explorer.keys(label).await;
        kept.retain(|key| !key.starts_with(TALLIES));
        kept
    };
    for (label, keys) in &mut expected {
        keys.sort_unstable();
        assert!(keys.len() > 1, "{label} answered nothing");
        assert_eq!(&kept(label).await, keys);
    }
    let asked = model.requests().len();
    while !app.ask("Sentence 00").await.cached {}
    assert!(model.requests().len() <= asked + 1, "the other variant's answer is kept as well");

    let observed = [kept(FIRST).await.len() - 1, kept(SECOND).await.len() - 1];
    let report = results_when(&app, |report| {
        let sum = |of: fn(&Value) -> &Value| {
            let variants = report["variants"].as_array().unwrap().iter();
            variants.map(|it| of(it).as_u64().unwrap_or(0)).sum::<u64>()
        };
        let all = observed.iter().sum::<usize>() as u64;
        (sum(|it| &it["n"]), sum(|it| &it["accuracy"]["n"])) == (all, 30)
    })
    .await;
    for (place, label) in [FIRST, SECOND].into_iter().enumerate() {
        let variant = &report["variants"][place];
        let labelled = expected[label].len() - 1;
        assert_eq!((&variant["n"], &variant["stale"]), (&json!(observed[place]), &json!(0)), "{report}");
        let accuracy = &variant["accuracy"];
        assert_eq!((&accuracy["count"], &accuracy["n"]), (&json!(0), &json!(labelled)), "{report}");
    }
}

/// Counted by Redis itself.
#[tokio::test]
async fn an_answer_from_the_store_is_one_command_and_on_spin_two_reads() {
    const ANSWERS: usize = 10;
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    let app = App::builder().model(&model).variable("variants", FIRST).redis(FIRST, redis.url(0)).start();
    app.explorer().set(FIRST, "prompt", "A prompt. {SENTENCE}").await;
    app.ask("Hello").await;
    // What follows the answer has ended, and an instance on Spin has seen that its store has no batches.
    results_when(&app, |report| report["variants"][0]["n"] == 1).await;
    for _ in 0..20 {
        assert!(app.ask("Hello").await.cached);
    }
    let monitor = redis.monitor();
    for _ in 0..ANSWERS {
        assert!(app.ask("Hello").await.cached);
    }
    let commands: Vec<String> = monitor.commands().into_iter().map(|mut command| command.remove(0)).collect();
    let expected = match runtime() {
        Runtime::Embedded => vec!["MGET"; ANSWERS],
        // Spin greets the server whenever a store is opened.
        Runtime::Spin(_) => ["PING", "GET", "GET"].repeat(ANSWERS),
    };
    assert_eq!(commands, expected);
}

/// Redis is far away, so all of them read the record before any changes it, and on Spin, which reports every swap as failed, none knows
/// at once whether it was the one.
#[tokio::test]
async fn votes_at_once_are_counted_as_they_are_kept() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let wire = Wire::to(redis.port);
    let app = App::builder().model(&model).variable("variants", FIRST).redis(FIRST, wire.url(0)).start();
    app.ask("Hello").await;
    // One visitor four times, and others.
    let visitors = [1, 1, 1, 1, 2, 3, 4, 5];
    for (expected, away) in
        [("negative", 20), ("neutral", 20), ("positive", 0), ("negative", 0), ("neutral", 0)]
    {
        wire.set(Quality::Slow(Duration::from_millis(away)));
        let votes = visitors.map(async |visitor| {
            let vote = json!({ "sentence": "Hello", "variant": FIRST, "expected": expected });
            let request = app.request(Method::POST, "/api/feedback");
            let request = request.header("cookie", format!("visitor={visitor:032x}")).json(&vote);
            ok(&Response::of(request).await.unwrap());
        });
        join_all(votes).await;
        let rows = settled(&app).await;
        let record: Value = serde_json::from_slice(&rows["Hello"]).unwrap();
        let votes: Vec<_> = record["votes"].as_object().unwrap().values().collect();
        assert_eq!(votes, [expected; 5]);
        let (counted, recorded) = audit::tallies(&rows);
        assert_eq!(counted, recorded, "{expected}, {away} ms away");
    }
}

/// What the first variant's store holds once nothing has changed for a while.
async fn settled(app: &App) -> BTreeMap<String, Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    let mut rows = app.rows(FIRST);
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_millis(1500) {
        assert!(Instant::now() < deadline, "the store keeps changing");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = app.rows(FIRST);
        if now != rows {
            (rows, since) = (now, Instant::now());
        }
    }
    rows
}

/// However many keys there are, `KEYS` would keep every client of Redis waiting, and so would a `SCAN` that asks for all of them at once.
#[tokio::test]
async fn nobody_lists_the_keys_and_a_report_reads_them_in_pages() {
    const RECORDS: usize = 3000;
    const PAGE: usize = 1000;
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    model.answer_sentence("The first", "positive").answer_sentence("The second", "negative");
    let labels = [FIRST, SECOND, JOURNAL].into_iter().zip(0..);
    let builder = App::builder().model(&model).variable("shadow", "1");
    let app = labels.fold(builder, |app, (label, place)| app.redis(label, redis.url(place))).start();
    for (label, prompt) in [(FIRST, "The first. {SENTENCE}"), (SECOND, "The second. {SENTENCE}")] {
        assert_eq!(app.explorer().set(label, "prompt", prompt).await.status, 200);
    }
    app.ask("Hello").await;
    let (user, password) = CREDENTIALS.split_once(':').unwrap();
    let waiting = async || {
        let next = app.request(Method::GET, "/api/annotations/next?n=10").basic_auth(user, Some(password));
        ok(&Response::of(next).await.unwrap())["queue"][0]["sentence"].clone()
    };
    let deadline = Instant::now() + PATIENCE;
    while waiting().await != "Hello" {
        assert!(Instant::now() < deadline, "the sentence is not drawn");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let record = json!({ "sentiment": "positive", "prompt": "0123456789ab", "model": "old" });
    // A command on one line has at most 64 KiB.
    for first in (0..RECORDS).step_by(PAGE / 4) {
        let entry = |number| format!(" Sentence-{number} '{record}'");
        let entries: String = (first..first + PAGE / 4).map(entry).collect();
        assert!(redis.ask(&format!("MSET{entries}")).starts_with("+OK"));
    }

    let monitor = redis.monitor();
    for path in ["/", "/results", "/annotate", "/api/variants", "/api/results"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    assert_eq!(waiting().await, "Hello");
    let answer = app.ask("Hello").await;
    let vote = json!({ "sentence": "Hello", "variant": answer.variant, "expected": "neutral" });
    let annotation = json!({ "sentence": "Hello", "expected": "neutral" });
    for (path, body) in [
        (SENTIMENT, json!({ "sentence": "Something new" })),
        ("/api/feedback", vote),
        ("/api/annotations", annotation),
    ] {
        let request = app.request(Method::POST, path).basic_auth(user, Some(password)).json(&body);
        ok(&Response::of(request).await.unwrap());
    }
    let commands = monitor.commands();
    let is_listing = |command: &&Vec<String>| ["KEYS", "SCAN"].contains(&command[0].to_uppercase().as_str());
    assert_eq!(commands.iter().find(is_listing), None);
    assert!(commands.iter().any(|command| command.iter().any(|word| word.starts_with(TALLIES))));

    let monitor = redis.monitor();
    let output = app.command(&["report", "--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let commands = monitor.commands();
    let listings: Vec<_> = commands.iter().filter(is_listing).collect();
    assert!(listings.len() > RECORDS / PAGE, "it reads all records: {listings:?}");
    for listing in listings {
        let count =
            listing.iter().position(|word| word == "COUNT").map(|at| listing[at + 1].parse::<usize>());
        assert!(listing[0] == "SCAN" && count.unwrap().unwrap() <= PAGE, "{listing:?}");
    }
}

#[tokio::test]
async fn the_explorer_reads_and_changes_them() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let app = app(&redis);
    let explorer = app.explorer();
    set_all(&explorer, FIRST).await;
    for (key, value) in ENTRIES {
        assert_eq!(Explorer::value(&explorer.get(FIRST, key).await), value, "{key}");
    }
    for limit in [1, 2, 1000] {
        let path = format!("/stores/{FIRST}?limit={limit}&values");
        let page = ok(&explorer.call(Method::GET, &path, None).await);
        let entries = page["entries"].as_array().unwrap();
        assert_eq!(entries.len(), limit.min(ENTRIES.len()));
        for entry in entries {
            let (_, value) = ENTRIES.iter().find(|(key, _)| entry["key"] == *key).unwrap();
            assert_eq!(entry["size"], value.len(), "{entry}");
        }
    }

    let export = explorer.call(Method::GET, &format!("/stores/{FIRST}/export"), None).await;
    assert_eq!(export.text().lines().count(), ENTRIES.len());
    for created in [ENTRIES.len(), 0] {
        let answer = ok(&post(&explorer, &format!("{SECOND}/import"), export.body.to_vec()).await);
        assert_eq!(answer["created"], created, "{answer}");
    }
    let copy = explorer.call(Method::GET, &format!("/stores/{SECOND}/export"), None).await;
    let lines = |export: &Response| export.text().lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(lines(&copy), lines(&export));

    // Only what its author saw is replaced.
    let path = format!("/stores/{FIRST}/keys/{}", safe("a"));
    let read = explorer.get(FIRST, "a").await;
    for (tag, status) in [("\"another\"", 412), (read.header("etag"), 200), (read.header("etag"), 412)] {
        let answer = call_with(&app, Method::PUT, &path, &[("if-match", tag)], vec![0xff, 0]).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert_eq!(Explorer::value(&explorer.get(FIRST, "a").await), [0xff, 0]);

    let body = json!({ "keys": ["*", "absent"] }).to_string();
    let answer = ok(&post(&explorer, &format!("{FIRST}/delete"), body).await);
    assert_eq!((&answer["matched"], &answer["deleted"]), (&json!(1), &json!(1)));
    assert_eq!(explorer.keys(FIRST).await, ["Sentence ?", "[ab]", "a"]);
    assert_eq!(explorer.keys(SECOND).await.len(), ENTRIES.len());
}

/// A server that refuses to write has not been overtaken by somebody else's write.
#[tokio::test]
async fn a_full_server_refuses_what_would_be_replaced() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::builder().model(&model).redis(FIRST, redis.url(0)).redis(SECOND, redis.url(1)).start();
    let explorer = app.explorer();
    assert_eq!(explorer.set(FIRST, "key", "value").await.status, 200);
    let read = explorer.get(FIRST, "key").await;
    redis.ask("CONFIG SET maxmemory-policy noeviction");
    redis.ask("CONFIG SET maxmemory 1");

    let path = format!("/stores/{FIRST}/keys/{}", safe("key"));
    let matching = [("if-match", read.header("etag"))];
    let refused = call_with(&app, Method::PUT, &path, &matching, b"another".to_vec()).await;
    assert!(refused.problem(503).contains("memory"), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "1");
    assert!(!app.ask("It is not recorded").await.cached);
    assert!(!app.ask("It is not recorded").await.cached);
    let output = || app.process().output();
    until("the terminal shows what was not recorded", || output().contains("was not recorded"));
    assert!(!output().contains("keeps changing"), "{}", output());

    redis.ask("CONFIG SET maxmemory 0");
    ok(&call_with(&app, Method::PUT, &path, &matching, b"another".to_vec()).await);
}

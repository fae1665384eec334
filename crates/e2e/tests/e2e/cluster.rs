//! Several nodes are one app: stores in a Redis with a replica, behind `HAProxy`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::app::{CREDENTIALS, FIRST, SECOND, SENTIMENT};
use e2e::cluster::audit::is_exact;
use e2e::cluster::faults::{FAULTS, NODES};
use e2e::cluster::wire::Quality;
use e2e::cluster::{Cluster, PROMPTS};
use e2e::model_server::Reply;
use e2e::process::PATIENCE;
use e2e::process::until;
use e2e::response::Response;
use e2e::runtime::{embedded_only, is_spin};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// Asks again until a node answers, for as long as it may take; every other answer on the way is a 503 that says when to try again.
async fn ask_until_answered(cluster: &Cluster, sentence: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = cluster.try_ask(sentence).await;
        if answer.status == 200 {
            return answer.json();
        }
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(Instant::now() < deadline, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the prompt of its variant makes the model say.
fn is_right(answer: &Value) -> bool {
    answer["sentiment"] == if answer["variant"] == FIRST { "positive" } else { "negative" }
}

/// The number of observations of the variants, once every node says the same.
async fn observed(cluster: &Cluster, expected: u64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut counts = Vec::new();
        for slot in 0..NODES {
            let report = cluster.get_from(slot, "/api/results").await;
            let variants = report["variants"].as_array().unwrap();
            counts.push(variants.iter().map(|variant| variant["n"].as_u64().unwrap()).sum::<u64>());
        }
        if counts == [expected; NODES] {
            return;
        }
        assert!(Instant::now() < deadline, "{counts:?} instead of {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn nodes_are_one_app() {
    let Some(cluster) =
        Cluster::start(NODES, |app| app.variable("assignment", "visitor").variable("shadow", "1")).await
    else {
        return;
    };

    // A visitor keeps the variant, whichever node answers.
    let mut seen = BTreeMap::new();
    for visitor in 0..8 {
        let first = cluster.try_ask(&format!("Hello {visitor}")).await;
        let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
        let variant = first.answer().variant;
        for slot in 0..NODES {
            let request = cluster.node(slot).app.request(Method::POST, SENTIMENT).header("cookie", &cookie);
            let body = json!({ "sentence": format!("Hello {visitor}") });
            let answer = Response::of(request.json(&body)).await.unwrap().answer();
            assert_eq!((answer.variant, answer.cached), (variant.clone(), true), "node {slot}");
        }
        *seen.entry(variant).or_insert(0_u64) += 1;
    }

    // Tallies are exact, with many clients at all nodes.
    let clients = (0..24).map(async |client| {
        for number in 0..5 {
            let answer = cluster.try_ask(&format!("Sentence {client} {number}")).await;
            assert!(is_right(&answer.json()), "{}", answer.text());
        }
    });
    join_all(clients).await;
    // Each is answered by the other variant as well.
    observed(&cluster, 2 * (8 + 24 * 5)).await;

    // What a person says at one node, all show.
    let (user, password) = CREDENTIALS.split_once(':').unwrap();
    let given =
        cluster.node(0).app.request(Method::POST, "/api/annotations").basic_auth(user, Some(password));
    let given =
        Response::of(given.json(&json!({ "sentence": "Hello 0", "expected": "positive" }))).await.unwrap();
    assert_eq!(given.status, 200, "{}", given.text());
    for slot in 0..NODES {
        let deadline = Instant::now() + PATIENCE;
        while cluster.get_from(slot, "/api/results").await["comparisons"][0]["annotated"]["annotated"] != 1 {
            assert!(Instant::now() < deadline, "node {slot} does not show it");
            // It gives the same report for a quarter of a second.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_canary_grows_and_a_link_changes_node_by_node_and_no_request_fails() {
    let Some(mut cluster) = Cluster::start(NODES, |app| app.variable("variants", FIRST)).await else {
        return;
    };
    let (url, stop) = (cluster.url(SENTIMENT), AtomicBool::new(false));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let load = async |name: usize| {
        let mut answers = Vec::new();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let body = json!({ "sentence": format!("Sentence {name} {number}") });
            let answer = Response::of(client.post(&url).json(&body)).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(is_right(&answer.json()), "{}", answer.text());
            answers.push(answer.answer().variant);
        }
        answers
    };
    let change = async {
        // The nodes are processes, and to wait for one blocks.
        let change = tokio::task::spawn_blocking(move || {
            for slot in 0..NODES {
                cluster.replace(slot, |app| app.variable("variants", &format!("{FIRST}=1,{SECOND}=3")));
            }
            cluster
        });
        let cluster = change.await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::Relaxed);
        cluster
    };
    let (cluster, first, second) = tokio::join!(change, load(0), load(1));
    let answers = [first, second].concat();
    assert_eq!(answers[0], FIRST);
    assert!(answers.iter().any(|variant| variant == SECOND), "the canary got nothing of {}", answers.len());
    if !embedded_only("Spin reads its links at the start") {
        return;
    }
    // Relinked to the other variant's store, one node after the other.
    let prompt_of = async |slot: usize| {
        let variants = cluster.get_from(slot, "/api/variants").await;
        variants["variants"][0]["prompt"].as_str().unwrap().to_owned()
    };
    for slot in 0..NODES {
        let (app, wire) = (&cluster.node(slot).app, &cluster.node(slot).wire);
        let links = fs::read_to_string(app.runtime_config()).unwrap();
        fs::write(app.runtime_config(), links.replace(&wire.url(0), &wire.url(1))).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while prompt_of(slot).await != PROMPTS[1].1 {
            assert!(Instant::now() < deadline, "node {slot} keeps its link");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for later in slot + 1..NODES {
            assert_eq!(prompt_of(later).await, PROMPTS[0].1, "node {later} is not changed yet");
        }
    }
}

/// Each fault, and what is left afterwards: every answer that was given is in the stores.
#[tokio::test]
async fn faults_lose_nothing_that_was_acknowledged() {
    let Some(mut cluster) = Cluster::start(NODES, |app| app).await else { return };
    let mut acknowledged = Vec::new();
    let ask = async |cluster: &Cluster, what: &str| {
        let mut answers = Vec::new();
        for number in 0..6 {
            let sentence = format!("{what} {number}");
            let answer = ask_until_answered(cluster, &sentence).await;
            assert!(is_right(&answer), "{what}: {answer}");
            answers.push((sentence, answer["variant"].as_str().unwrap().to_owned()));
        }
        answers
    };
    acknowledged.extend(ask(&cluster, "At first").await);

    cluster.node(0).wire.set(Quality::Slow(Duration::from_millis(200)));
    acknowledged.extend(ask(&cluster, "Slow").await);
    cluster.node(0).wire.set(Quality::Good);

    cluster.kill(1);
    acknowledged.extend(ask(&cluster, "A node less").await);
    cluster.add(1);
    cluster.remove(2);
    acknowledged.extend(ask(&cluster, "Another").await);
    cluster.add(2);

    // Without its model a node fails what only that could say.
    cluster.node(0).model.answer_sentence("new to", Reply::Status(503));
    let unanswered = cluster.node(0).app.try_ask("new to it").await;
    assert_eq!(unanswered.status, 502, "{}", unanswered.text());
    for (sentence, variant) in &acknowledged {
        let known = cluster.node(0).app.try_ask(sentence).await.json();
        assert!(known["cached"] == true || known["variant"] != *variant, "{known}");
    }

    // Until the replica has what was said so far.
    until("the replica has everything", || cluster.primary.ask("WAIT 1 1000").starts_with(":1"));
    cluster.fail_over();
    acknowledged.extend(ask(&cluster, "Failed over").await);

    // Full: what is there is answered, and nothing is said to be kept that is not.
    cluster.primary.ask("CONFIG SET maxmemory-policy noeviction");
    cluster.primary.ask("CONFIG SET maxmemory 1");
    let answer = cluster.try_ask("At first 0").await;
    assert!(is_right(&answer.json()), "{}", answer.text());
    let body = json!({ "sentence": acknowledged[0].0, "variant": acknowledged[0].1, "expected": "neutral" });
    let vote = Response::of(cluster.request(Method::POST, "/api/feedback").json(&body)).await.unwrap();
    assert_eq!((vote.status, vote.header("retry-after")), (503, "1"), "{}", vote.text());
    cluster.primary.ask("CONFIG SET maxmemory 0");

    // Cut off from the stores a node gives no answer, rather than one by another prompt.
    cluster.node(0).wire.set(Quality::Cut);
    if is_spin() {
        // Spin waits for Redis, and everybody would wait for Spin: the node gets no more requests.
        cluster.haproxy.wait_for("nodes", "n1", "DOWN");
        acknowledged.extend(ask(&cluster, "Cut off").await);
    } else {
        let cut = cluster.node(0).app.try_ask("At first 0").await;
        assert_eq!((cut.status, cut.header("retry-after")), (503, "1"), "{}", cut.text());
    }
    cluster.node(0).wire.set(Quality::Good);
    acknowledged.extend(ask(&cluster, "At last").await);

    let stored = [cluster.explorer().keys(FIRST).await, cluster.explorer().keys(SECOND).await];
    for (sentence, variant) in acknowledged {
        let place = usize::from(variant == SECOND);
        assert!(stored[place].contains(&sentence), "{sentence} is lost");
    }
}

/// The same with clients at work, who are answered before, during and after each fault. What that may cost is told in `docs/scaling.md`,
/// which `cargo run --bin cluster -- faults --minutes 10` measures for longer.
#[test]
fn faults_under_load_cost_no_more_than_is_said() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = runtime.block_on(Cluster::start(NODES, |app| app.variable("shadow", "1")));
    let Some(mut cluster) = started else { return };
    // Spin waits for a Redis that it is cut off from, and so do its clients.
    let answers = if is_spin() { 20 } else { 50 };
    let mut breaches = Vec::new();
    for fault in FAULTS {
        let outcome = fault.strike(&mut cluster, |_, load| {
            let already = load.answered();
            until(&format!("clients are answered: {fault:?}"), || load.answered() >= already + answers);
        });
        breaches.extend(outcome.breaches);
        cluster.command(&["recount"]);
        assert!(is_exact(&cluster), "{fault:?}: a recount is not exact");
    }
    assert_eq!(breaches, Vec::<String>::new());
}

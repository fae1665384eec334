//! A changed runtime config is applied while the app runs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use e2e::app::{App, FIRST, TALLIES};
use e2e::artifacts;
use e2e::model_server::ModelServer;
use e2e::runtime::{clean_environment, embedded_only};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};

const WHY: &str = "Spin reads the runtime config once, at start";

/// The stores between which the first label is switched, and their prompts.
const STORES: [(&str, &str); 2] = [("left", "Left: {SENTENCE}"), ("right", "Right: {SENTENCE}")];

fn app_between_two_stores(model: &ModelServer) -> App {
    let [(left, prompt), (right, other)] = STORES;
    let app = App::builder()
        .model(model)
        .variable("variants", FIRST)
        .store(FIRST, left, [("prompt", prompt.as_bytes())])
        .start();
    app.store_file(right).set(FIRST, [("prompt", other.as_bytes())]);
    app
}

/// What a store holds beside tallies.
fn kept(app: &App, store: &str) -> BTreeMap<String, Vec<u8>> {
    let mut rows = app.store_file(store).rows(FIRST);
    rows.retain(|key, _| !key.starts_with(TALLIES));
    rows
}

/// Links the first label to a store, with the command line, while the app runs.
async fn link(app: &App, store: &str) {
    let mut command = Command::new(artifacts::ab());
    command.args(["link", "key-value", FIRST, "--yes", "--store"]).arg(app.store_file(store).path());
    command.arg("--from").arg(app.manifest_folder()).arg("--runtime-config-file").arg(app.runtime_config());
    clean_environment(&mut command);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until the app uses the prompt of this fingerprint.
async fn until_prompt(app: &App, fingerprint: &str) {
    while app.prompts().await[0].0 != fingerprint {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn links_flip_under_load_and_no_request_fails() {
    const FLIPS: usize = 50;
    if !embedded_only(WHY) {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = app_between_two_stores(&model);
    let left = app.prompts().await.remove(0).0;
    link(&app, "right").await;
    let right = loop {
        let fingerprint = app.prompts().await.remove(0).0;
        if fingerprint != left {
            break fingerprint;
        }
    };

    let flipping = async {
        for flip in 0..FLIPS {
            let (store, fingerprint) = [("left", &left), ("right", &right)][flip % 2];
            link(&app, store).await;
            until_prompt(&app, fingerprint).await;
        }
    };
    // 200 requests a second, whatever becomes of those before.
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = FuturesUnordered::new();
    let (mut sentences, mut answered) = (0, 0);
    tokio::pin!(flipping);
    let mut flipped = false;
    while !flipped {
        tokio::select! {
            () = &mut flipping => flipped = true,
            _ = ticks.tick() => {
                let sentence = format!("Sentence {sentences}");
                sentences += 1;
                let app = &app;
                asked.push(async move { app.ask(&sentence).await });
            }
            Some(answer) = asked.next() => {
                assert_eq!((answer.variant.as_str(), answer.cached), (FIRST, false));
                answered += 1;
            }
        }
    }
    answered += asked.count().await;
    assert_eq!(answered, sentences);

    // Each record is in the store whose prompt the model was asked with, and nowhere else.
    let mut expected = STORES.map(|(_, prompt)| {
        let (beginning, _) = prompt.split_once('{').unwrap();
        let requests = model.requests().into_iter();
        let mut sentences: Vec<String> =
            requests.filter_map(|request| Some(request.prompt.strip_prefix(beginning)?.to_owned())).collect();
        sentences.sort();
        sentences
    });
    for ((store, _), (expected, fingerprint)) in STORES.iter().zip(expected.iter_mut().zip([&left, &right])) {
        let rows = kept(&app, store);
        let mut kept = Vec::new();
        for (key, value) in rows.iter().filter(|(key, _)| *key != "prompt") {
            let record: serde_json::Value = serde_json::from_slice(value).unwrap();
            assert_eq!(record["prompt"], fingerprint.as_str(), "{key} in {store}");
            kept.push(key.clone());
        }
        assert_eq!(kept, *expected, "{store}");
        assert!(kept.len() > 100, "{store} has {} records", kept.len());
    }
    assert_eq!(expected.iter().map(Vec::len).sum::<usize>(), sentences);
}

#[tokio::test]
async fn a_broken_runtime_config_is_reported_and_the_old_links_stay() {
    if !embedded_only(WHY) {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = app_between_two_stores(&model);
    app.ask("This is in the store.").await;
    let good = fs::read_to_string(app.runtime_config()).unwrap();
    let broken = [
        ("[key_value_store.", "runtime-config.toml:1"),
        ("[key_value_store.promptstore1]\ntype = \"sqlite\"\npath = \"x.db\"\n", "sqlite"),
        ("[key_value_store.promptstore1]\ntype = \"spin\"\npath = \"/proc/no/such/folder.db\"\n", "/proc/no"),
    ];
    for (text, named) in broken {
        let before = app.process().output().matches("The old links stay in force.").count();
        fs::write(app.runtime_config(), text).unwrap();
        let reported = |output: &str| output.matches("The old links stay in force.").count() > before;
        while !reported(&app.process().output()) {
            assert!(app.ask("This is in the store.").await.cached);
        }
        let output = app.process().output();
        assert!(output.rsplit("The old links").nth(1).unwrap().contains(named), "{named}:\n{output}");
        assert!(app.ask("This is in the store.").await.cached);
    }
    fs::write(app.runtime_config(), good.replace("left", "right")).unwrap();
    while app.ask("This is in the store.").await.cached {
        // Until the good one is seen.
    }
    assert_eq!(kept(&app, "right").len(), 2);
}

#[tokio::test]
async fn a_link_to_a_store_that_is_locked_is_tried_again() {
    if !embedded_only(WHY) {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = app_between_two_stores(&model);
    let left = app.prompts().await.remove(0).0;
    let good = fs::read_to_string(app.runtime_config()).unwrap();
    let locked = rusqlite::Connection::open(app.store_file("right").path()).unwrap();
    locked
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    fs::write(app.runtime_config(), good.replace("left", "right")).unwrap();
    app.process().wait_for(|line| line.contains("This is tried again every second.").then_some(()));
    assert_eq!(app.prompts().await[0].0, left, "until then the old link stays");
    drop(locked);
    while app.prompts().await[0].0 == left {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_article_switches_prompts_without_a_rebuild_or_a_restart() {
    if !embedded_only(WHY) {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = app_between_two_stores(&model);
    let last_prompt = || model.requests().pop().unwrap().prompt;
    app.ask("Dang, this is difficult!").await;
    assert_eq!(last_prompt(), "Left: Dang, this is difficult!");

    let mut unlink = Command::new(artifacts::ab());
    unlink.args(["unlink", "key-value", FIRST, "--from"]).arg(app.manifest_folder());
    unlink.arg("--runtime-config-file").arg(app.runtime_config());
    clean_environment(&mut unlink);
    let unlinked = unlink.output().unwrap();
    assert!(unlinked.status.success(), "{}", String::from_utf8_lossy(&unlinked.stderr));
    while app.process().output().matches("no longer linked").count() == 0 {
        // Meanwhile answers go on, by the default prompt and without a record.
        app.ask("Dang, this is difficult!").await;
    }

    link(&app, "right").await;
    let right = STORES[1].1.split_once('{').unwrap().0;
    app.ask("Hey, how's it going?").await;
    while !last_prompt().starts_with(right) {
        app.ask("Hey, how's it going?").await;
    }
    assert_eq!(kept(&app, "right").len(), 2, "the prompt and the one answer");
}

//! `ab up` where nobody has set up anything.

use std::fs;
use std::net::TcpListener;

use e2e::app::{App, FIRST, SECOND};
use e2e::artifacts;
use e2e::model_server::ModelServer;
use e2e::runtime::embedded_only;

#[tokio::test]
async fn credentials_in_the_file_of_the_environment_are_kept() {
    let app = App::builder()
        .no_variables()
        .dotenv("SPIN_VARIABLE_KV_EXPLORER_USER=me\nSPIN_VARIABLE_KV_EXPLORER_PASSWORD=from-the-file\n")
        .start();
    let explorer = app.explorer().with_credentials("me:from-the-file");
    assert_eq!(explorer.set(FIRST, "kept", "").await.status, 200);
    assert!(!app.process().output().contains("for this run"), "no others are made");
}

#[tokio::test]
async fn the_first_run_seeds_the_stores_and_brings_a_model_and_credentials() {
    if !embedded_only("Spin seeds no stores, and brings neither a model nor credentials") {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut app = App::builder()
        .store(FIRST, "case-a", [])
        .store(SECOND, "case-b", [])
        .offline_model(&format!("http://{free}"))
        .no_variables()
        .start();
    for (label, name) in [(FIRST, "case-a"), (SECOND, "case-b")] {
        let prompt = fs::read(artifacts::root().join(format!("prompts/{name}.txt"))).unwrap();
        assert_eq!(app.rows(label)["prompt"], prompt);
        assert!(app.process().output().contains(&format!("prompts/{name}.txt")), "it says so");
    }
    let sentences = [
        // Sentences on which both prompts agree: which of them answers is chance.
        ("This is great, I am so happy!", "positive"),
        ("What a wonderful sunrise, I love it!", "positive"),
        ("This is a terrible, horrible failure.", "negative"),
        ("The meeting is at noon.", "neutral"),
    ];
    for (sentence, sentiment) in sentences {
        assert_eq!(app.ask(sentence).await.sentiment, sentiment, "{sentence}");
    }
    // The offline model costs nothing: every variant answers every sentence.
    app.log("recorder", "stdout", "\"event\":\"shadow\"", sentences.len());
    assert_eq!((app.records(FIRST).len(), app.records(SECOND).len()), (sentences.len(), sentences.len()));
    // Nor is any number of new sentences too many.
    for number in 0..101 {
        app.ask(&format!("Sentence {number}")).await;
    }
    let note = app.get("/api/variants").await.json()["model_note"].as_str().unwrap().to_owned();
    assert!(note.contains("offline model"), "{note:?}");

    let credentials = app.process().wait_for(|line| {
        let (user, password) = line.split_once("user ")?.1.split_once(", password ")?;
        Some(format!("{user}:{password}"))
    });
    let explorer = app.explorer().with_credentials(&credentials);
    assert!(explorer.keys(FIRST).await.contains(&"prompt".to_owned()));
    // A prompt that somebody deletes stays deleted, and each run has a password of its own.
    assert_eq!(explorer.delete(FIRST, "prompt").await.status, 200);
    assert_eq!(app.explorer().set(FIRST, "kept", "").await.status, 401);
    explorer.set(FIRST, "kept", "").await;
    app = app.restart(|app| app);
    assert!(!app.rows(FIRST).contains_key("prompt"));
    app.explorer().with_credentials(&credentials).list(FIRST).await.problem(401);
}

#[tokio::test]
async fn stores_that_were_exchanged_by_hand_are_not_seeded_again() {
    if !embedded_only("Spin seeds no stores") {
        return;
    }
    let model = ModelServer::start().unwrap();
    let edited = [("prompt", b"Edited: {SENTENCE}".as_slice())];
    let app = App::builder()
        .model(&model)
        .store(FIRST, "case-a", edited)
        .store(SECOND, "case-b", edited)
        .start()
        .restart(|app| app.store(FIRST, "case-b", []).store(SECOND, "case-a", []));
    for (name, label, other) in [("case-a", FIRST, SECOND), ("case-b", SECOND, FIRST)] {
        let file = app.store_file(name);
        assert_eq!(file.rows(label)["prompt"], edited[0].1, "{name}");
        assert!(file.rows(other).is_empty(), "{name}");
        let warned = format!("\"{name}\" is linked with the label \"{other}\"");
        assert!(app.process().output().contains(&warned), "{}", app.process().output());
    }
}

#[tokio::test]
async fn an_app_keeps_its_offline_model_when_another_app_stops() {
    if !embedded_only("Spin brings no model") {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = App::builder().offline_model(&format!("http://{free}"));
    let first = app.clone().start();
    let second = app.clone().start();
    assert!(second.process().output().contains("belongs to another process"), "it says so");
    assert_eq!(second.ask("This is great, I am so happy!").await.sentiment, "positive");
    drop(first);
    assert_eq!(second.ask("This is a terrible, horrible failure.").await.sentiment, "negative");
    // The address is free again, for the next one.
    let third = app.start();
    assert!(!third.process().output().contains("belongs to another process"));
    drop(second);
    assert_eq!(third.ask("This is a terrible, horrible failure.").await.sentiment, "negative");
}

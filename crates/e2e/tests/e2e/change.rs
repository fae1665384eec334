//! A change of the prompt or of the model: answers of the old one are not served.

use std::process::Command;

use e2e::app::{App, FIRST};
use e2e::artifacts;
use e2e::model_server::ModelServer;
use e2e::process::Process;
use e2e::store::votes_on;
use reqwest::Method;
use serde_json::json;

const SENTENCE: &str = "The weather is ruining my day.";

#[tokio::test]
async fn a_changed_prompt_is_seen_at_once() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let prompts =
        ["[INST][/INST]\nUser: {SENTENCE}", "Again:\n{SENTENCE}", "[INST][/INST]\nUser: {SENTENCE}"];
    let mut fingerprints = Vec::new();
    for (changes, prompt) in prompts.into_iter().enumerate() {
        app.write(FIRST, "prompt", prompt);
        // Several instances may have seen the old prompt.
        assert!(!app.ask(SENTENCE).await.cached, "{prompt}");
        for _ in 0..8 {
            assert!(app.ask(SENTENCE).await.cached, "{prompt}");
        }
        let asked = model.requests();
        assert_eq!(asked.len(), changes + 1);
        assert_eq!(asked[changes].prompt, prompt.replace("{SENTENCE}", SENTENCE));
        let (fingerprint, _) = app.prompts().await.remove(0);
        assert_eq!(app.records(FIRST)[SENTENCE]["prompt"], fingerprint.as_str());
        fingerprints.push(fingerprint);
    }
    assert_ne!(fingerprints[0], fingerprints[1]);
    assert_eq!(fingerprints[0], fingerprints[2]);
}

#[tokio::test]
async fn a_changed_model_is_seen_at_once() {
    let model = ModelServer::start().unwrap();
    let mut app = App::builder()
        .model(&model)
        .variable("variants", FIRST)
        .manifest("\"llama2-chat\"]", "\"llama2-chat\", \"llama3\"]")
        .start();
    for name in ["llama2-chat", "llama3", "llama2-chat"] {
        app = app.restart(|app| app.variable("model", name));
        assert!(!app.ask(SENTENCE).await.cached, "{name}");
        assert!(app.ask(SENTENCE).await.cached, "{name}");
        assert_eq!(app.records(FIRST)[SENTENCE]["model"], name);
        assert_eq!(app.get("/api/variants").await.json()["model"], name);
    }
    let asked: Vec<String> = model.requests().into_iter().map(|request| request.model).collect();
    assert_eq!(asked, ["llama2-chat", "llama3", "llama2-chat"]);
}

#[tokio::test]
async fn what_the_offline_model_said_is_never_counted_as_a_real_models() {
    let offline = Process::start(
        "the offline model",
        Command::new(artifacts::ab()).args(["model", "--listen", "127.0.0.1:0"]),
    );
    let url = offline.wait_for(|line| Some(line.strip_prefix("Listening at ")?.trim().to_owned()));
    let mut app = App::builder().variable("variants", FIRST).offline_model(&url).start();
    assert!(!app.ask(SENTENCE).await.cached);
    assert!(app.ask(SENTENCE).await.cached);
    let correction = json!({ "sentence": SENTENCE, "variant": FIRST, "expected": "negative" }).to_string();
    let corrected = app.request(Method::POST, "/api/feedback").body(correction).send().await.unwrap();
    assert_eq!(corrected.status(), 200);

    // What was answered is counted once the answer has left.
    let results = loop {
        let results = app.get("/api/results").await.json();
        if results["variants"][0]["n"] != 0 {
            break results;
        }
    };
    assert_eq!(app.records(FIRST)[SENTENCE]["model"], "offline-model");
    assert_eq!(
        (&results["variants"][0]["n"], &results["variants"][0]["model"]),
        (&json!(1), &json!("offline-model"))
    );
    let variants = app.get("/api/variants").await.json();
    assert_eq!(variants["model"], "offline-model");
    for note in [&results["model_note"], &variants["model_note"]] {
        assert!(note.as_str().unwrap().contains("offline model"), "{note}");
    }
    let event = "\"event\":\"experiment\",\"variants\":\"promptstore1=1\",\"model\":\"offline-model\"";
    app.log("sentiment-analysis", "stdout", event, 1);

    let model = ModelServer::start().unwrap();
    app = app.restart(|app| app.model(&model).variable("model", "llama2-chat"));
    let variant = &app.get("/api/results").await.json()["variants"][0];
    assert_eq!(
        (&variant["n"], &variant["stale"], &variant["model"]),
        (&json!(0), &json!(1), &json!("llama2-chat"))
    );
    assert_eq!(app.get("/api/variants").await.json()["model_note"], "");
    assert!(!app.ask(SENTENCE).await.cached);
    assert_eq!(model.requests().len(), 1);
    let record = &app.records(FIRST)[SENTENCE];
    assert_eq!(record["model"], "llama2-chat");
    assert_eq!(votes_on(record), ["negative"]);
}

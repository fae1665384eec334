//! A change of the prompt or of the model: answers of the old one are not served.

use e2e::app::{App, FIRST};
use e2e::model_server::ModelServer;

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
        .manifest("ai_models = [\"llama2-chat\"]", "ai_models = [\"llama2-chat\", \"llama3\"]")
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

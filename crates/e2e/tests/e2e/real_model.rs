//! A real model server, where `AB_E2E_MODEL_SERVER` names one: `crates/e2e/real-model/serve.py` runs one with random weights.

use std::env;
use std::process::Command;

use e2e::app::{App, FIRST};
use e2e::artifacts;

/// The limit of tokens where nothing else is set.
const MAX_TOKENS: u64 = 6;

/// The app with the server; `None` where there is none to test with.
fn app() -> Option<(App, String)> {
    let Ok(address) = env::var("AB_E2E_MODEL_SERVER") else {
        eprintln!("left out: AB_E2E_MODEL_SERVER names no model server");
        return None;
    };
    let app = App::builder().variable("model_server", &address).variable("variants", FIRST).start();
    Some((app, address))
}

#[tokio::test]
async fn the_app_reads_what_it_says_within_the_limit() {
    let Some((app, _)) = app() else { return };
    for sentence in ["I love this.", "It rains, 🌧 again.", "The shop opens at nine."] {
        let answer = app.ask(sentence).await;
        assert_eq!((answer.variant.as_str(), answer.cached), (FIRST, false));
        let record = &app.records(FIRST)[sentence];
        println!("{sentence:?}: {record}");
        let tokens = |name: &str| record[name].as_u64().unwrap();
        assert_eq!(record["sentiment"], answer.sentiment);
        assert!(tokens("prompt_tokens") > 0, "{record}");
        assert!((1..=MAX_TOKENS).contains(&tokens("generated_tokens")), "{record}");
    }
}

#[tokio::test]
async fn temperature_0_gives_one_answer_to_each_prompt() {
    let Some((app, address)) = app() else { return };
    let output = Command::new(artifacts::ab())
        .args([
            "model",
            "check",
            "--variable",
            &format!("model_server={address}"),
            "--variable",
            "model=llama2-chat",
            "--from",
        ])
        .arg(artifacts::root())
        .arg("--runtime-config-file")
        .arg(app.runtime_config())
        .current_dir(app.runtime_config().parent().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("Listed:   yes\n") && text.contains("temperature 0"), "{text}");
    assert_eq!(text.matches("Answers: the same 5 times\n").count(), 2, "{text}");
    assert!(!text.contains("tokens despite a limit of"), "{text}");
}

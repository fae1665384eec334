//! Sentences, what the model is asked about them, and what is kept.

use std::time::SystemTime;

use e2e::app::{App, FIRST, SECOND};
use e2e::model_server::{ModelServer, Reply};
use serde_json::{Value, json};

/// The article's prompts, letter by letter.
const CASE_A: &str = "
<<SYS>>
You're a bot specializing in emotion detection. Craft responses indicating sentiment as positive, negative, or neutral.
<</SYS>>
[INST]
Emulate the given examples:
User: Hey, how's it going?
neutral
User: I just aced my exam!
positive
User: The weather is ruining my day.
negative
[/INST]
User: {SENTENCE}";
const CASE_B: &str = "
<<SYS>>
Your role is to analyze sentiments and generate appropriate responses. Choose between positive, negative, or neutral.
<</SYS>>
[INST]
Mirror the examples provided:
User: What a beautiful sunrise!
positive
User: My car broke down again.
negative
User: Just finished my chores.
neutral
[/INST]
User: {SENTENCE}";
const DEFAULT: &str = "
<<SYS>>
You are a bot that generates sentiment analysis responses. Respond with a single positive, negative, or neutral.
<</SYS>>
[INST]
Follow the pattern of the following examples:
User: Hi, my name is Bob
neutral
User: I am so happy today
positive
User: I am so sad today
negative
[/INST]
User: {SENTENCE}";

/// The first digits of what `sha256sum prompts/case-a.txt` prints.
const CASE_A_FINGERPRINT: &str = "f9e466b7d88b";

#[tokio::test]
async fn the_articles_prompts_reach_the_model_verbatim() {
    let model = ModelServer::start().unwrap();
    let mut app = App::with_one_variant(&model);
    app.ask("Dang, this is difficult!").await;

    app = app.restart(|app| app.variable("variants", SECOND));
    app.ask("Dang, this is difficult!").await;

    app = app.restart(|app| app.store(FIRST, "empty", []).variable("variants", FIRST));
    app.ask("Dang, this is difficult!").await;
    let (_, origin) = app.prompts().await.remove(0);
    assert_eq!(origin, "default");

    app.write(FIRST, "prompt", "This names no place for the sentence.");
    app.ask("And this?").await;

    let asked: Vec<String> = model.requests().into_iter().map(|request| request.prompt).collect();
    let expected = [
        CASE_A.replace("{SENTENCE}", "Dang, this is difficult!"),
        CASE_B.replace("{SENTENCE}", "Dang, this is difficult!"),
        DEFAULT.replace("{SENTENCE}", "Dang, this is difficult!"),
        DEFAULT.replace("{SENTENCE}", "And this?"),
    ];
    assert_eq!(asked, expected);
    let [request, ..] = &model.requests()[..] else { panic!("nothing was asked") };
    assert_eq!((request.model.as_str(), &request.options["maxTokens"]), ("llama2-chat", &json!(6)));
    assert_eq!(request.options["temperature"], json!(0.0));
    assert_eq!(request.authorization.as_deref().map(str::to_lowercase).as_deref(), Some("bearer scripted"));
}

#[tokio::test]
async fn completions_are_read_and_answered_from_the_store_from_then_on() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let cases: [(&str, Reply, &str); 7] = [
        ("Hey, how's it going?", "neutral".into(), "neutral"),
        ("I just aced my exam!", " Positive.\nUser: The weather".into(), "positive"),
        ("The weather is ruining my day.", "Sentiment: NEGATIVE!".into(), "negative"),
        ("Dang, this is difficult!", Reply::Echo("\nnegative".into()), "negative"),
        ("What a beautiful sunrise!", "Bot: positive".into(), "positive"),
        ("a \"quoted\" \\ back\\slash\nand a second line", "{\"sentiment\": \"neutral\"}".into(), "neutral"),
        ("Répondez, {SENTENCE}: 🌧 <b>$&</b> {{ model }}", "positive".into(), "positive"),
    ];
    for (sentence, completion, _) in &cases {
        model.answer_sentence(sentence, completion.clone());
    }
    for cached in [false, true] {
        for (sentence, _, sentiment) in &cases {
            let answer = app.ask(&format!(" {sentence}\n")).await;
            assert_eq!((answer.sentiment.as_str(), answer.cached), (*sentiment, cached), "{sentence}");
            assert_eq!(answer.variant, FIRST);
        }
    }
    let asked = model.requests();
    assert_eq!(asked.len(), cases.len(), "each sentence was asked once");
    for (request, (sentence, ..)) in asked.iter().zip(&cases) {
        assert_eq!(request.sentence(), *sentence, "nothing in a sentence is expanded");
    }
    let kept: Vec<String> = app.records(FIRST).into_keys().collect();
    let mut sentences = cases.map(|(sentence, ..)| sentence.to_owned());
    sentences.sort();
    assert_eq!(kept, sentences);
}

#[tokio::test]
async fn unsure_is_recorded_but_never_served_from_the_store() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    for completion in ["", "I cannot tell.", "nonnegative", "\u{0}\u{fffd}"] {
        model.answer_with(completion);
        for _ in 0..2 {
            let answer = app.ask("Hm.").await;
            assert_eq!((answer.sentiment.as_str(), answer.cached), ("unsure", false), "{completion:?}");
        }
        assert_eq!(app.records(FIRST)["Hm."]["sentiment"], "unsure");
    }
    assert_eq!(model.requests().len(), 8);
    model.answer_with("positive");
    assert!(!app.ask("Hm.").await.cached);
    let answer = app.ask("Hm.").await;
    assert_eq!((answer.sentiment.as_str(), answer.cached), ("positive", true));
}

#[tokio::test]
async fn a_record_says_what_produced_it() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive it is");
    let app = App::with_one_variant(&model);
    let before = experiment::timestamp(SystemTime::now());
    app.ask("What a beautiful sunrise!").await;
    let after = experiment::timestamp(SystemTime::now());

    let mut record = app.records(FIRST).remove("What a beautiful sunrise!").unwrap();
    let mut take = |name: &str| record.as_object_mut().unwrap().remove(name).unwrap();
    let at = take("at");
    assert!((before.as_str()..=after.as_str()).contains(&at.as_str().unwrap()), "{before} {at} {after}");
    assert!(take("elapsed_ms").as_u64().is_some());
    let words = CASE_A.replace("{SENTENCE}", "What a beautiful sunrise!").split_whitespace().count();
    assert_eq!(
        record,
        json!({
            "sentiment": "positive",
            "prompt": CASE_A_FINGERPRINT,
            "model": "llama2-chat",
            "prompt_tokens": words,
            "generated_tokens": 3,
        })
    );
    let (fingerprint, origin) = app.prompts().await.remove(0);
    assert_eq!((fingerprint.as_str(), origin.as_str()), (CASE_A_FINGERPRINT, "store"));
}

/// Sentences that cannot be keys are kept under the hexadecimal digits of their SHA-256.
#[tokio::test]
async fn the_sentence_prompt_and_long_ones_are_sentences_like_any_other() {
    let model = ModelServer::start().unwrap();
    model.answer_with("negative");
    let app = App::with_one_variant(&model);
    let longest_key = "é".repeat(127);
    let cases = [
        // printf prompt | sha256sum
        ("prompt".to_owned(), "sha256:cf07194ee232eb531e15f690000d19846dea69cf05504782658afcfacb9228a2"),
        // head -c 256 /dev/zero | tr '\0' a | sha256sum
        ("a".repeat(256), "sha256:02d7160d77e18c6447be80c2e355c7ed4388545271702c50253b0914c65ce5fe"),
        // printf sha256: | sha256sum
        ("sha256:".to_owned(), "sha256:9fd714ce6f63c3b320c944b70e80a5d105fd2f3e2d30ae2fa81370e223f50d07"),
        // head -c 4096 /dev/zero | tr '\0' a | sha256sum
        ("a".repeat(4096), "sha256:c93eee2d0db02f10acc7460d9576e122dcf8cd53c4bf8dfcae1b3e74ebcfff5a"),
        (longest_key.clone(), &longest_key),
        ("Prompt".to_owned(), "Prompt"),
    ];
    for (sentence, key) in &cases {
        for cached in [false, true] {
            let response = app.try_ask(&format!("\t{sentence} ")).await;
            assert!(!response.text().contains("SYS"), "the answer shows the prompt: {}", response.text());
            let answer = response.answer();
            assert_eq!((answer.sentiment.as_str(), answer.cached), ("negative", cached), "{sentence}");
        }
        let record = &app.records(FIRST)[*key];
        let kept_inside = if key == sentence { Value::Null } else { json!(sentence) };
        assert_eq!((&record["sentiment"], &record["sentence"]), (&json!("negative"), &kept_inside));
    }
    assert_eq!(app.rows(FIRST)["prompt"], CASE_A.as_bytes(), "the prompt is as it was");
    assert_eq!(app.records(FIRST).len(), cases.len());
}

#[tokio::test]
async fn what_is_in_a_store_but_is_no_record_is_a_miss_and_stays() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    for value in ["negative", "", "{}", "{\"visits\": 3}", "\u{0}"] {
        app.write(FIRST, "session:1", value);
        for _ in 0..2 {
            let answer = app.ask("session:1").await;
            assert_eq!((answer.sentiment.as_str(), answer.cached), ("positive", false), "{value:?}");
            assert_eq!(app.rows(FIRST)["session:1"], value.as_bytes(), "it is somebody else's");
        }
    }
    app.process().wait_for(|line| line.contains("has a value that is not a record").then_some(()));
    // What the article's own app has kept there.
    app.write(FIRST, "Hm.", "{\"sentiment\": \"negative\"}");
    assert!(!app.ask("Hm.").await.cached);
    assert!(app.ask("Hm.").await.cached);
}

//! Model servers asked directly, by the variable `model_server`: what real ones refuse or want, and how they fail. Where there are
//! real ones to test with, they are: see [`e2e::models`].

use std::collections::BTreeMap;
use std::fs;
use std::pin::pin;
use std::time::Instant;

use e2e::app::{App, AppBuilder, FIRST, SECOND};
use e2e::model_server::ModelServer;
use e2e::model_server::cases::{failing_servers, strict_servers};
use e2e::models::{ENDLESS_TOKENS, Model, Wanted, models, models_with};
use e2e::process::PATIENCE;
use e2e::runtime::{Runtime, embedded_only, runtime};
use futures::future::join_all;
use tokio::time::timeout;

/// The app with the first variant alone, and these variables besides.
fn builder(model: &Model, variables: &[(&str, &str)]) -> AppBuilder {
    variables.iter().fold(model.app(), |builder, (name, value)| builder.variable(name, value))
}

/// The same with a scripted model.
fn scripted(model: &ModelServer, variables: &[(&str, &str)]) -> AppBuilder {
    let builder = App::builder().model_server(model).variable("variants", FIRST);
    variables.iter().fold(builder, |builder, (name, value)| builder.variable(name, value))
}

/// A model of random weights that may say more than one word names several outcomes, which is unsure and asked
/// again.
const ONE_WORD: (&str, &str) = ("max_tokens", "1");

#[tokio::test]
async fn an_answer_is_kept_with_what_it_took_within_the_limit() {
    for model in models() {
        let mut app = model.app().start();
        for (limit, sentences) in [
            (1, ["I love this.", "It rains, 🌧 again."]),
            (6, ["The shop opens at nine.", "\"Never\", they said."]),
            (40, ["Répondez, {SENTENCE}", "<s>[INST] neutral [/INST]"]),
        ] {
            app = app.restart(|app| app.variable("max_tokens", &limit.to_string()));
            for sentence in sentences {
                let answer = app.ask(sentence).await;
                assert_eq!((answer.variant.as_str(), answer.cached), (FIRST, false));
                let record = &app.records(FIRST)[sentence];
                println!("{}, {sentence:?}: {record}", model.kind());
                let tokens = |name: &str| record[name].as_u64().unwrap();
                assert_eq!(
                    (&record["sentiment"], &record["model"]),
                    (&answer.sentiment.as_str().into(), &model.model().into())
                );
                // The prompt alone has some 40 words.
                assert!(tokens("prompt_tokens") > 40, "{record}");
                assert!((1..=limit).contains(&tokens("generated_tokens")), "{record}");
                assert!(limit > 1 || answer.sentiment != "unsure", "one word is an outcome: {record}");
                assert_eq!(app.ask(sentence).await.cached, answer.sentiment != "unsure");
            }
        }
    }
}

#[tokio::test]
async fn a_prompt_with_many_examples_is_read_to_its_end() {
    for model in models_with(Wanted { context: Some(8192), ..Wanted::default() }) {
        let example = "User: The 1st of 3 buses was late, and I am 🌧 wet.\nBot: negative\n";
        let prompt_tokens = async |examples: usize| {
            let prompt = format!("{}User: {{SENTENCE}}\nBot:", example.repeat(examples));
            let app = builder(&model, &[ONE_WORD, ("model_timeout", "120")])
                .store(FIRST, "long", [("prompt", prompt.as_bytes())])
                .start();
            app.ask("What a day!").await;
            app.records(FIRST)["What a day!"]["prompt_tokens"].as_u64().unwrap()
        };
        let (few, many) = (prompt_tokens(10).await, prompt_tokens(70).await);
        println!("{}: {few} and {many} tokens", model.kind());
        assert_eq!((many - few) % 60, 0, "{}: every example counts the same", model.kind());
        assert!(many - few >= 60 * example.split_whitespace().count() as u64, "{}", model.kind());
    }
}

#[tokio::test]
async fn many_at_once_beside_answers_from_the_store() {
    for model in models() {
        let app = builder(&model, &[ONE_WORD]).start();
        app.ask("In the store.").await;
        let sentences: Vec<String> = (0..32).map(|number| format!("Sentence {number}.")).collect();
        let new = join_all(sentences.iter().map(|sentence| app.ask(sentence)));
        let cached = async {
            for _ in 0..20 {
                assert!(app.ask("In the store.").await.cached);
            }
        };
        let started = Instant::now();
        let (answers, ()) = tokio::join!(new, cached);
        println!("{}: 32 at once in {:?}", model.kind(), started.elapsed());
        let records = app.records(FIRST);
        assert_eq!(records.len(), 1 + sentences.len(), "{}", model.kind());
        for (sentence, answer) in sentences.iter().zip(answers) {
            assert_eq!((answer.cached, &records[sentence]["sentiment"]), (false, &answer.sentiment.into()));
            assert!(records[sentence]["generated_tokens"].as_u64().unwrap() > 0);
        }
    }
}

#[tokio::test]
async fn every_prompt_answers_the_same_again_at_temperature_0() {
    for model in models() {
        let mut seen: Vec<BTreeMap<String, [String; 2]>> = Vec::new();
        for _ in 0..2 {
            let both = format!("{FIRST},{SECOND}");
            let app = builder(&model, &[ONE_WORD, ("variants", &both), ("shadow", "1")]).start();
            let sentences: Vec<String> = (0..8).map(|number| format!("Is it {number} o'clock?")).collect();
            for sentence in &sentences {
                app.ask(sentence).await;
            }
            app.log("recorder", "stdout", "\"event\":\"shadow\"", sentences.len());
            let (first, second) = (app.records(FIRST), app.records(SECOND));
            let answers = sentences.into_iter().map(|sentence| {
                let said = [&first, &second].map(|records| {
                    let record = &records[&sentence];
                    format!("{} from {} tokens", record["sentiment"], record["prompt_tokens"])
                });
                (sentence, said)
            });
            seen.push(answers.collect());
        }
        assert_eq!(seen[0], seen[1], "{}", model.kind());
        for said in seen[0].values() {
            assert_ne!(
                said[0].rsplit(' ').nth(1),
                said[1].rsplit(' ').nth(1),
                "the prompts are two: {said:?}"
            );
        }
    }
}

#[tokio::test]
async fn strict_servers_are_asked_as_they_want_it() {
    for row in strict_servers() {
        let (name, times) = (row.name, row.times);
        for model in row.servers() {
            let app = builder(&model, row.variables).start();
            let answer = app.ask("What a day!").await;
            assert!(!answer.cached, "{name}, {}", model.kind());
            if let Some(model) = model.scripted() {
                assert_eq!(
                    (answer.sentiment.as_str(), model.requests().len()),
                    ("positive", times),
                    "{name}"
                );
            }
            // What was refused is not tried again.
            app.ask("What a night!").await;
            if let Some(model) = model.scripted() {
                assert_eq!(model.requests().len(), times + 1, "{name}");
                assert_eq!(model.requests()[times].options, row.parameters, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_environment_names_it() {
    let model = ModelServer::start_with_tls().unwrap();
    let app = scripted(&model, &[]).start();
    let failed = app.try_ask("What a day!").await;
    assert_eq!((failed.status, &failed.json()["type"]), (502, &"urn:problem-type:model-certificate".into()));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, model.authority().unwrap()).unwrap();
    let app = app.restart(|builder| builder.environment("SSL_CERT_FILE", file.to_str().unwrap()));
    assert_eq!(app.ask("What a day!").await.sentiment, "neutral");
}

#[tokio::test]
async fn each_failure_says_what_to_do_and_records_nothing() {
    for row in failing_servers() {
        for model in row.servers() {
            let (kind, name) = (row.kind, format!("{}, {}", row.name, model.kind()));
            let app = builder(&model, row.variables)
                .variable("model_token", "my-secret")
                .variable("model_timeout", row.patience)
                .start();
            let failed = app.try_ask("What a day!").await;
            let status = match kind {
                "rate-limited" | "overloaded" => 503,
                "timeout" => 504,
                _ => 502,
            };
            assert_eq!(failed.status, status, "{name}: {}", failed.text());
            let problem = failed.json();
            assert_eq!(problem["type"], format!("urn:problem-type:model-{kind}"), "{name}");
            assert_eq!(failed.header("retry-after"), if row.name == "429" { "1" } else { "" }, "{name}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("nothing was recorded"), "{name}: {detail}");
            let log =
                app.process().wait_for(|line| line.contains("inference failed").then(|| line.to_owned()));
            println!("{name}: {log}");
            assert!(log.contains(row.says), "{name}: {log}");
            let address = model.url().trim_start_matches("http://");
            assert!(
                !detail.contains(address) && !format!("{detail}{log}").contains("my-secret"),
                "{name}: {log}"
            );
            assert!(app.records(FIRST).is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_mistake_in_a_variable_is_named() {
    // `up` refuses it before it listens: see `starting`. Spin asks nobody, and the component has to say it.
    if !matches!(runtime(), Runtime::Spin(_)) {
        return;
    }
    let model = ModelServer::start().unwrap();
    for (name, value) in [("max_tokens", "0"), ("max_tokens", "six"), ("temperature", "3")] {
        let app = scripted(&model, &[(name, value)]).start();
        let detail = app.try_ask("What a day!").await.problem(500);
        assert!(detail.contains(value) && detail.contains(&format!("--variable {name}=")), "{detail}");
    }
    assert_eq!(model.requests(), []);
}

/// On Spin, which lets a component go on when its client has gone, it ends with the time that an inference has.
#[tokio::test]
async fn an_abandoned_request_ends_its_inference() {
    for model in models_with(Wanted { slow: true, ..Wanted::default() }) {
        let limit = if matches!(runtime(), Runtime::Embedded) { "600" } else { "5" };
        let app = builder(&model, &[("model_timeout", limit), ("max_tokens", ENDLESS_TOKENS)]).start();
        model.never_answer();
        let asked = app.try_ask("What a day!");
        let left = timeout(PATIENCE, async {
            tokio::select! {
                answer = asked => panic!("{}: {answer:?}", model.kind()),
                () = until_busy(&model, true) => {}
            }
        });
        left.await.unwrap();
        if !model.ends_abandoned_work() {
            eprintln!("left out: {} finishes answers for which nobody waits", model.kind());
            continue;
        }
        timeout(PATIENCE, until_busy(&model, false)).await.unwrap();
        if let Some(model) = model.scripted() {
            assert_eq!((model.abandoned(), model.requests().len()), (1, 1));
        }
    }
}

async fn until_busy(model: &Model, busy: bool) {
    while model.is_busy().await != busy {
        tokio::time::sleep(model.rest()).await;
    }
}

#[tokio::test]
async fn a_server_that_dies_over_an_answer_and_comes_back() {
    for mut model in models_with(Wanted { slow: true, ..Wanted::default() }) {
        let app = builder(&model, &[ONE_WORD]).start();
        app.ask("This one is in the store.").await;
        let app =
            app.restart(|app| app.variable("model_timeout", "600").variable("max_tokens", ENDLESS_TOKENS));
        model.never_answer();
        let failed = {
            let mut asked = pin!(app.try_ask("This one fails."));
            tokio::select! {
                answer = &mut asked => panic!("{}: {answer:?}", model.kind()),
                () = until_busy(&model, true) => {}
            }
            model.stop();
            asked.await
        };
        assert_eq!(failed.status, 502, "{}: {}", model.kind(), failed.text());
        assert_eq!(failed.json()["type"], "urn:problem-type:model-answer-cut-off", "{}", model.kind());
        let log = app.process().wait_for(|line| line.contains("inference failed").then(|| line.to_owned()));
        println!("{}: {log}: {}", model.kind(), failed.text());
        let app = app.restart(|app| app.variable("max_tokens", "1"));
        let failed = app.try_ask("This one fails.").await;
        assert_eq!(
            (failed.status, &failed.json()["type"]),
            (502, &"urn:problem-type:model-unreachable".into())
        );
        assert!(app.ask("This one is in the store.").await.cached);
        assert_eq!(app.records(FIRST).len(), 1, "{}", model.kind());
        model.start_again();
        assert!(!app.ask("This one fails.").await.cached);
        assert_eq!(app.records(FIRST).len(), 2, "{}", model.kind());
    }
}

#[tokio::test]
async fn up_says_which_model_is_asked_where_and_how() {
    if !embedded_only("`spin up` says nothing of models") {
        return;
    }
    let model = ModelServer::start().unwrap();
    let url = model.url();
    let query = [("model_path", "/x?key=secret-in-a-query"), ("model_token", "my-secret")];
    // What [llm_compute] says counts only where no server is named.
    let offline = "http://127.0.0.1:3001";
    for (app, said) in [
        (
            scripted(&model, &query).llm_compute_with_token(offline, "default", "offline-model"),
            "/x in OpenAI's chat protocol",
        ),
        (App::builder().llm_compute(&url, "open_ai"), " in OpenAI's protocol as Spin speaks it"),
    ] {
        let app = app.start();
        let output = app.process().output();
        assert!(output.contains(&format!("Model: llama2-chat at {url}{said}")), "{output}");
        assert!(!output.contains("secret") && !output.contains("offline model"), "{output}");
    }
}

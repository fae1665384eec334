//! A model that fails, in every way and in both protocols.

use std::time::{Duration, Instant};

use e2e::app::{App, AppBuilder, FIRST};
use e2e::model_server::{ModelServer, Reply};
use e2e::models::{Model, Wanted, models_with};
use serde_json::json;

/// The app with the first variant alone.
fn builder(api: &str, model: &ModelServer) -> AppBuilder {
    App::builder().llm_compute(&model.url(), api).variable("variants", FIRST)
}

const PROTOCOLS: [&str; 2] = ["default", "open_ai"];

#[tokio::test]
async fn a_failed_inference_is_a_problem_and_records_nothing() {
    for api in PROTOCOLS {
        let model = ModelServer::start().unwrap();
        let app = builder(api, &model).start();
        model.answer_with("positive");
        app.ask("This one is in the store.").await;
        let replies = [
            Reply::Status(400),
            Reply::Status(401),
            Reply::Status(500),
            Reply::Status(503),
            Reply::Garbage,
            Reply::WrongJson,
            Reply::CutBeforeAnswer,
            Reply::CutMidAnswer("positive".into()),
        ];
        for reply in replies {
            model.answer_with(reply.clone());
            let response = app.try_ask("This one fails.").await;
            let detail = response.problem(502);
            assert!(detail.contains("nothing was recorded"), "{detail}");
            assert!(!detail.contains("127.0.0.1"), "a client is not told where the model is: {detail}");
            let answer = app.ask("This one is in the store.").await;
            assert!(answer.cached, "{reply:?}");
            assert_eq!(app.records(FIRST).len(), 1, "{reply:?} in {api}");
        }
        model.answer_with("negative");
        let answer = app.ask("This one fails.").await;
        assert_eq!((answer.sentiment.as_str(), answer.cached), ("negative", false), "{api}");
    }
}

#[tokio::test]
async fn a_slow_model_is_given_up_in_time_and_others_are_served_meanwhile() {
    for api in PROTOCOLS {
        let model = ModelServer::start().unwrap();
        model.answer_sentence("slow", Reply::from("positive").after(Duration::from_hours(1)));
        // On Spin 20 answers from the store take almost a second: see `head_of_line`.
        let app = builder(api, &model).variable("model_timeout", "3").start();
        app.ask("This one is in the store.").await;

        let started = Instant::now();
        let slow = app.try_ask("This one is slow.");
        let others = async {
            model.until_in_flight(1).await;
            for _ in 0..20 {
                assert!(app.ask("This one is in the store.").await.cached);
            }
            assert_eq!(model.in_flight(), 1, "the slow one is under way all the while");
        };
        let (response, ()) = tokio::join!(slow, others);
        let problem = response.json();
        assert_eq!((response.status, &problem["type"]), (504, &json!("urn:problem-type:model-timeout")));
        assert!(problem["detail"].as_str().unwrap().contains("model_timeout"), "{problem}");
        let elapsed = started.elapsed();
        assert!((3.0..10.0).contains(&elapsed.as_secs_f64()), "{elapsed:?} in {api}");
        assert_eq!(app.records(FIRST).len(), 1);
    }
}

#[tokio::test]
async fn an_unreachable_model_is_a_problem_until_it_comes_back() {
    let scripted = Model::scripted_by(ModelServer::start().unwrap(), Wanted::default());
    let in_open_ai = models_with(Wanted::default()).into_iter().map(|model| ("open_ai", model));
    for (api, mut model) in [("default", scripted)].into_iter().chain(in_open_ai) {
        let app = App::builder().llm_compute(model.url(), api).variable("variants", FIRST).start();
        let name = format!("{} in {api}", model.kind());
        // In this protocol not every server obeys the limit, and a random one that says a lot is unsure.
        let is_kept = app.ask("This one is in the store.").await.sentiment != "unsure";
        assert!(is_kept || model.scripted().is_none());
        model.stop();
        app.try_ask("This one fails.").await.problem(502);
        if is_kept {
            assert!(app.ask("This one is in the store.").await.cached, "{name}");
        }
        assert_eq!(app.records(FIRST).len(), 1, "{name}");
        model.start_again();
        if let Some(model) = model.scripted() {
            model.answer_with("negative");
        }
        let answer = app.ask("This one fails.").await;
        assert!(!answer.cached && (model.scripted().is_none() || answer.sentiment == "negative"), "{name}");
    }
}

#[tokio::test]
async fn a_completion_without_an_outcome_is_unsure() {
    for api in PROTOCOLS {
        let model = ModelServer::start().unwrap();
        let app = builder(api, &model).start();
        for completion in ["", "As a language model, I"] {
            model.answer_with(completion);
            assert_eq!(app.ask("Hm.").await.sentiment, "unsure", "{completion:?} in {api}");
        }
        model.answer_with(Reply::Echo(String::new()));
        assert_eq!(app.ask("Hm.").await.sentiment, "unsure", "an echo of the prompt in {api}");
    }
}

#[tokio::test]
async fn without_a_model_or_the_right_to_use_it() {
    let app = App::builder().start();
    app.try_ask("Hm.").await.problem(502);
    let model = ModelServer::start().unwrap();
    let app = App::builder().model(&model).variable("model", "llama3").start();
    let detail = app.try_ask("Hm.").await.problem(502);
    assert!(detail.contains("llama3") && detail.contains("ai_models"), "{detail}");
    assert_eq!(model.requests(), []);
}

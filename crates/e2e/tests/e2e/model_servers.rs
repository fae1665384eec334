//! Model servers asked directly, by the variable `model_server`: what real ones refuse or want, and how they fail.

use std::fs;

use e2e::app::{App, AppBuilder, FIRST};
use e2e::model_server::ModelServer;
use e2e::model_server::cases::{FailingServer, StrictServer, failing_servers, strict_servers};
use e2e::process::PATIENCE;
use e2e::runtime::{Runtime, embedded_only, runtime};
use tokio::time::timeout;

/// The app with the first variant alone, and these variables besides.
fn builder(model: &ModelServer, variables: &[(&str, &str)]) -> AppBuilder {
    let builder = App::builder().model_server(model).variable("variants", FIRST);
    variables.iter().fold(builder, |builder, (name, value)| builder.variable(name, value))
}

#[tokio::test]
async fn strict_servers_are_asked_as_they_want_it() {
    for StrictServer { name, prepare, variables, times, parameters } in strict_servers() {
        let model = ModelServer::start().unwrap();
        prepare(model.answer_with("positive"));
        let app = builder(&model, variables).start();
        assert_eq!(app.ask("What a day!").await.sentiment, "positive", "{name}");
        assert_eq!(model.requests().len(), times, "{name}");
        // What was refused is not tried again.
        app.ask("What a night!").await;
        assert_eq!(model.requests().len(), times + 1, "{name}");
        assert_eq!(model.requests()[times].options, parameters, "{name}");
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_environment_names_it() {
    let model = ModelServer::start_with_tls().unwrap();
    let app = builder(&model, &[]).start();
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
    for FailingServer { name, prepare, kind, says } in failing_servers() {
        let model = ModelServer::start().unwrap();
        prepare(&model);
        let app = builder(&model, &[("model_token", "my-secret"), ("model_timeout", "1")]).start();
        let failed = app.try_ask("What a day!").await;
        let status = match kind {
            "rate-limited" | "overloaded" => 503,
            "timeout" => 504,
            _ => 502,
        };
        assert_eq!(failed.status, status, "{name}: {}", failed.text());
        let problem = failed.json();
        assert_eq!(problem["type"], format!("urn:problem-type:model-{kind}"), "{name}");
        assert_eq!(failed.header("retry-after"), if name == "429" { "1" } else { "" }, "{name}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("nothing was recorded"), "{name}: {detail}");
        let log = app.process().wait_for(|line| line.contains("inference failed").then(|| line.to_owned()));
        assert!(log.contains(says), "{name}: {log}");
        let address = model.address().to_string();
        assert!(
            !detail.contains(&address) && !format!("{detail}{log}").contains("my-secret"),
            "{name}: {log}"
        );
        assert!(app.records(FIRST).is_empty(), "{name}");
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
        let app = builder(&model, &[(name, value)]).start();
        let detail = app.try_ask("What a day!").await.problem(500);
        assert!(detail.contains(value) && detail.contains(&format!("--variable {name}=")), "{detail}");
    }
    assert_eq!(model.requests(), []);
}

/// On Spin, which lets a component go on when its client has gone, it ends with the time that an inference has.
#[tokio::test]
async fn an_abandoned_request_ends_its_inference() {
    let model = ModelServer::start().unwrap();
    let limit = if matches!(runtime(), Runtime::Embedded) { "600" } else { "2" };
    let app = builder(&model, &[("model_timeout", limit)]).start();
    let _hold = model.hold();
    let asked = app.try_ask("What a day!");
    let left = timeout(PATIENCE, async {
        tokio::select! {
            answer = asked => panic!("{answer:?}"),
            () = model.until_in_flight(1) => {}
        }
    });
    left.await.unwrap();
    timeout(PATIENCE, model.until_abandoned(1)).await.unwrap();
    assert_eq!((model.in_flight(), model.requests().len()), (0, 1));
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
            builder(&model, &query).llm_compute_with_token(offline, "default", "offline-model"),
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

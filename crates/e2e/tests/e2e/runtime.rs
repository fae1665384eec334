//! What the runtime does for its apps: it ends them gently, refuses what they are not granted, and keeps what they print.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use e2e::app::{App, AppBuilder, FIRST, JOURNAL, SECOND};
use e2e::model_server::ModelServer;
use e2e::runtime::{Runtime, embedded_only, runtime};

#[tokio::test]
async fn requests_in_flight_finish_when_the_app_is_told_to_end() {
    if !embedded_only("Spin ends at once") {
        return;
    }
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    for signal in ["TERM", "INT"] {
        let mut app = App::with_one_variant(&model);
        let hold = model.hold();
        let under_way = app.try_ask("This takes a while.");
        let told_to_end = async {
            model.until_in_flight(1).await;
            app.process().signal(signal);
            // It takes no more requests, but ends the one it has.
            while TcpListener::bind(app.url("").trim_start_matches("http://")).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(hold);
        };
        let (response, ()) = tokio::join!(under_way, told_to_end);
        assert_eq!(response.answer().sentiment, "positive", "SIG{signal}");
        assert_eq!(app.wait().code(), Some(0), "SIG{signal}");
        assert_eq!(app.records(FIRST).len(), 1, "SIG{signal}");
    }
}

/// What the manifest does not grant is refused, on both runtimes.
#[tokio::test]
async fn a_capability_that_is_not_granted_is_refused() {
    let model = ModelServer::start().unwrap();
    let without_second = |builder: AppBuilder, component: &str| {
        let source = format!("{component}.wasm\"\nkey_value_stores = ");
        builder.manifest(&format!("{source}[\"{FIRST}\", \"{SECOND}\""), &format!("{source}[\"{FIRST}\""))
    };
    let app = without_second(App::builder().model(&model), "kv_explorer").start();
    app.explorer().list(SECOND).await.problem(403);
    // `up` does not start an app that would lack the store of a variant.
    if matches!(runtime(), Runtime::Spin(_)) {
        let builder = App::builder().model(&model).variable("variants", SECOND);
        let app = without_second(without_second(builder, "sentiment_analysis"), "recorder").start();
        // Without its store the variant still answers, with the default prompt, but keeps nothing.
        assert!(!app.ask("Hm.").await.cached);
        assert!(model.requests()[0].prompt.contains("You are a bot that generates"));
        assert_eq!(app.records(SECOND).len(), 0);
        let variants = app.get("/api/variants").await.json();
        assert!(variants["variants"][0]["error"].is_string(), "{variants}");
    }

    let asked = model.requests().len();
    let app = App::builder()
        .model(&model)
        .manifest(
            "allowed_outbound_hosts = [\"http://inference.spin.internal\"]",
            "allowed_outbound_hosts = []",
        )
        .start();
    app.try_ask("Hm.").await.problem(502);
    assert_eq!(model.requests().len(), asked);
}

/// A private component is for the app's other components alone.
#[tokio::test]
async fn a_private_component_has_no_address() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    for host in ["inference.spin.internal", "localhost"] {
        let mut connection = app.connect();
        connection.send(format!("POST /infer HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}"));
        // Spin does not answer at all where the host is one of its own.
        if !connection.is_closed() {
            let (status, _) = connection.head();
            assert!(matches!(status, 404 | 405), "{status} at {host}");
        }
    }
    assert_eq!(model.requests(), []);
}

#[test]
fn the_console_names_the_component_and_keeps_sentences_to_itself() {
    let model = ModelServer::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = App::with_one_variant(&model);
    runtime.block_on(app.ask("A sentence that nobody else should read."));
    app.process().wait_for(|line| {
        let event = &line[line.find("{\"event\":\"sentiment\"")?..];
        assert!(line.contains("sentiment-analysis") || event == line, "{line}");
        Some(())
    });
    assert!(!app.process().output().contains("nobody else"));
    let log = app.log("sentiment-analysis", "stdout", "\"event\":\"sentiment\"", 1);
    let line = log.lines().find(|line| line.contains("\"event\":\"sentiment\"")).unwrap();
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["status"], &event["cached"]), (&200.into(), &false.into()));
}

/// What goes on after an answer, such as counting it, may have to wait: its instance then takes no other request.
#[tokio::test]
async fn a_journal_that_is_locked_holds_up_no_answer() {
    if !embedded_only("Spin takes one request at a time to an instance only where it infers") {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask("This is in the store.").await;
    let lock = app.store_file(JOURNAL).lock();
    // Each is counted after its answer has left.
    for number in 0..8 {
        let started = Instant::now();
        app.ask(&format!("A new sentence, number {number}.")).await;
        assert!(app.ask("This is in the store.").await.cached);
        assert!(started.elapsed() < Duration::from_secs(1), "two answers took {:?}", started.elapsed());
    }
    drop(lock);
}

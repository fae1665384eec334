//! What a collector gets: a real app in a process of its own, whose environment names a collector that keeps what it is sent.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what a test cannot go on without stops it; the app says where it serves"
)]

mod app;
mod received;

use std::fs;
use std::time::{Duration, Instant};

use app::App;
use e2e::origin::{Origin, Script};
use e2e::process::PATIENCE;
use received::{Received, children, text};

/// Metrics that are sent often, and spans too.
const SOON: [(&str, &str); 2] = [("OTEL_METRIC_EXPORT_INTERVAL", "50"), ("OTEL_BSP_SCHEDULE_DELAY", "20")];

fn collector() -> Origin {
    Origin::start(Script::answer(200, ""))
}

/// What the collector has once `is_complete`.
async fn until(collector: &Origin, is_complete: impl Fn(&Received) -> bool) -> Received {
    let mut seen = 0;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let received = Received::of(&collector.requests());
        if is_complete(&received) {
            return received;
        }
        assert!(Instant::now() < deadline, "{received:?}");
        collector.until_requests(seen + 1).await;
        seen = collector.requests().len();
    }
}

/// The process that the other tests start.
#[test]
#[ignore = "it serves until it is told to stop"]
fn served() {
    app::serve();
}

#[tokio::test]
async fn a_request_through_two_components_is_one_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (collector, server) = (collector(), Origin::start(Script::answer(203, "reached")));
    let app = App::start(&[&SOON[..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]].concat());
    let response = app
        .get("/some/path?secret=1")
        .header("x-to", "http://forwarder.spin.internal/next")
        .header("x-then", server.url())
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .header("tracestate", "vendor=value")
        .send()
        .await
        .unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (203, "reached".to_owned()));

    let received = until(&collector, |received| received.spans.len() == 5).await;
    assert!(received.spans.iter().all(|span| span.trace_id == TRACE), "{received:?}");
    // From the client's request down to the server outside, each the only child of the one before.
    let mut parent = "00f067aa0ba902b7".to_owned();
    for (name, kind, attributes) in [
        (
            "GET /...",
            "Server",
            &[("http.route", "/..."), ("url.path", "/some/path"), ("http.response.status_code", "203")][..],
        ),
        ("execute_wasm_component forwarder", "Internal", &[("component_id", "forwarder")]),
        ("GET", "Client", &[("server.address", "forwarder.spin.internal"), ("server.port", "80")]),
        ("execute_wasm_component forwarder", "Internal", &[("http.response.status_code", "203")]),
        ("GET", "Client", &[("server.address", "127.0.0.1"), ("http.response.status_code", "203")]),
    ] {
        let [span] = &children(&received, &parent)[..] else { panic!("{parent}: {received:?}") };
        assert_eq!((span.name.as_str(), span.kind.as_str()), (name, kind));
        for (key, value) in attributes {
            assert_eq!(span.attributes.get(*key).map(String::as_str), Some(*value), "{key} of {name}");
        }
        parent.clone_from(&span.id);
    }
    let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert_eq!(request.header("traceparent"), Some(&*format!("00-{TRACE}-{parent}-01")));
    assert_eq!(request.header("tracestate"), Some("vendor=value"));
    assert!(!text(&collector.requests()).contains("secret"), "a query is nobody else's business");
}

#[tokio::test]
async fn an_answer_tells_of_its_model_and_its_stores() {
    const ANSWER: &str = r#"{"text":"positive","usage":{"promptTokenCount":7,"generatedTokenCount":1}}"#;
    let (collector, model) = (collector(), Origin::start(Script::answer(200, ANSWER)));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("runtime-config.toml");
    let stores = ["promptstore1", "promptstore2", "journal"];
    let stores =
        stores.map(|label| format!("[key_value_store.{label}]\ntype = \"spin\"\npath = \"{label}.db\"\n"));
    let llm =
        format!("[llm_compute]\ntype = \"remote_http\"\nurl = \"{}\"\nauth_token = \"t\"\n", model.url());
    fs::write(&config, [stores.concat(), llm].concat()).unwrap();
    let endpoint = collector.url();
    let environment = [&SOON[..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]].concat();
    let app = App::start_with_config(&config, &environment);
    let response = app.post("/api/sentiment-analysis", r#"{"sentence":"Sun."}"#).send().await.unwrap();
    assert_eq!(response.status(), 200);

    let client = ("component_id", "sentiment-analysis");
    let received = until(&collector, |received| {
        received.spans.len() >= 7 && received.value("spin.llm_infer", &[]) == Some(1.0)
    })
    .await;
    let mut parent = String::new();
    for name in [
        "POST /api/...",
        "execute_wasm_component sentiment-analysis",
        "POST",
        "execute_wasm_component recorder",
        "POST",
        "execute_wasm_component inference",
        "spin_llm.infer",
    ] {
        let [span] = &children(&received, &parent)[..] else { panic!("{parent}: {received:?}") };
        assert_eq!(span.name, name);
        parent.clone_from(&span.id);
    }
    let [request] = &model.requests()[..] else { panic!("{:?}", model.requests()) };
    let trace = request.header("traceparent").unwrap();
    assert!(trace.ends_with(&format!("-{parent}-01")), "{trace}");
    assert!(received.spans.iter().all(|span| trace.contains(&span.trace_id)), "{trace}: {received:?}");

    for (name, attributes, value) in [
        ("spin.llm_infer", [("model_name", "offline-model")], 1.0),
        ("gen_ai.client.operation.duration", [("gen_ai.request.model", "offline-model")], 1.0),
        ("ab.model.active_requests", [("gen_ai.request.model", "offline-model")], 0.0),
    ] {
        assert_eq!(received.value(name, &attributes), Some(value), "{name}: {received:?}");
    }
    let reads = received.value("db.client.operation.duration", &[client, ("db.operation.name", "get_many")]);
    assert!(reads.is_some_and(|count| count >= 1.0), "{received:?}");
}

#[tokio::test]
async fn metrics_tell_of_requests_components_and_instances() {
    let (collector, server) = (collector(), Origin::start(Script::answer(404, "")));
    let endpoint = format!("{}/own/path", collector.url());
    let app = App::start(
        &[
            &SOON[..],
            &[
                ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &endpoint),
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20token"),
                ("OTEL_SERVICE_NAME", "sentiment"),
                ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging"),
            ],
        ]
        .concat(),
    );
    for _ in 0..3 {
        assert_eq!(app.get("/").header("x-to", server.url()).send().await.unwrap().status(), 404);
    }
    assert_eq!(app.get("/hostile/panic").send().await.unwrap().status(), 500);
    let get = |received: &Received, name: &str, attributes: &[(&str, &str)]| received.value(name, attributes);
    let counted = |received: &Received| get(received, "spin.request_count", &[("component_id", "hostile")]);
    let received = until(&collector, |received| {
        counted(received) == Some(1.0)
            && get(received, "http.server.active_requests", &[("component_id", "hostile")]) == Some(0.0)
    })
    .await;
    let component = &[("component_id", "forwarder"), ("app_id", "forwarder"), ("trigger_type", "http")];
    for (name, attributes, value) in [
        ("spin.request_count", &component[..], 3.0),
        (
            "http.server.request.duration",
            &[("http.route", "/..."), ("http.response.status_code", "404")],
            3.0,
        ),
        ("http.server.request.duration", &[("http.route", "/hostile/...")], 1.0),
        ("http.client.request.duration", &[("server.address", "127.0.0.1")], 3.0),
        ("http.client.active_requests", &[("server.address", "127.0.0.1")], 0.0),
        ("ab.component.failures", &[("component_id", "hostile"), ("error.type", "died")], 1.0),
        ("http.server.active_requests", &component[..1], 0.0),
    ] {
        assert_eq!(get(&received, name, attributes), Some(value), "{name}: {received:?}");
    }
    assert!(get(&received, "ab.component.instances", &component[..1]).is_some_and(|count| count <= 3.0));
    for (key, value) in [
        ("service.name", "sentiment"),
        ("deployment.environment.name", "staging"),
        ("telemetry.sdk.name", "opentelemetry"),
    ] {
        assert_eq!(received.resource.get(key).map(String::as_str), Some(value));
    }
    let requests = collector.requests();
    assert!(requests.iter().all(|request| request.target == "/own/path"), "{requests:?}");
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer token")));
    assert!(received.spans.is_empty(), "traces were not asked for");
}

#[tokio::test]
async fn the_sampler_decides_and_hands_its_decision_on() {
    let (collector, server) = (collector(), Origin::start(Script::answer(200, "")));
    let app = App::start(
        &[
            &SOON[..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), ("OTEL_TRACES_SAMPLER", "always_off")],
        ]
        .concat(),
    );
    assert_eq!(app.get("/").header("x-to", server.url()).send().await.unwrap().status(), 200);
    let received = until(&collector, |received| {
        received.value("spin.request_count", &[("component_id", "forwarder")]) == Some(1.0)
    })
    .await;
    assert!(received.spans.is_empty(), "{received:?}");
    let requests = server.requests();
    assert!(requests[0].header("traceparent").is_some_and(|parent| parent.ends_with("-00")), "{requests:?}");
}

#[tokio::test]
async fn a_collector_that_is_away_changes_no_answer() {
    let server = Origin::start(Script::answer(200, "reached"));
    // One refuses connections, the other takes them and never answers.
    let silent = Origin::start(Script::Silence);
    let closed = Origin::start(Script::Silence).url();
    for endpoint in [&closed, &silent.url()] {
        let environment =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_MAX_QUEUE_SIZE", "10")];
        let mut app = App::start(&[&SOON[..], &environment].concat());
        let start = Instant::now();
        for _ in 0..50 {
            let response = app.get("/").header("x-to", server.url()).send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "reached");
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        if *endpoint == closed {
            app.wait_for(|line| line.contains("cannot be reached").then_some(()));
        }
        let end = Instant::now();
        app.stop();
        assert!(end.elapsed() < Duration::from_secs(20), "{:?}", end.elapsed());
    }
}

#[tokio::test]
async fn spans_for_which_there_is_no_room_are_counted() {
    let collector = collector();
    let app = App::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
        // Nothing is sent before the end, so that the queue fills.
        ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
    ]);
    for _ in 0..20 {
        // Two spans each.
        assert_eq!(app.get("/").send().await.unwrap().status(), 400);
    }
    let full = [("error.type", "queue_full")];
    until(&collector, |received| received.value("otel.sdk.processor.span.processed", &full) == Some(30.0))
        .await;
}

#[test]
fn what_cannot_be_sent_is_refused_by_name() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");
    let output = app::refused(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert!(output.contains("OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\""), "{output}");
    let output = app::refused(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address")]);
    assert!(output.contains("cannot send the telemetry"), "{output}");
}

#[tokio::test]
async fn without_the_variables_nothing_is_sent_and_headers_stay() {
    let (collector, server) = (collector(), Origin::start(Script::answer(200, "")));
    for environment in
        [&[][..], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), ("OTEL_SDK_DISABLED", "true")]]
    {
        let mut app = App::start(&[&SOON[..], environment].concat());
        assert_eq!(app.get("/").header("x-to", server.url()).send().await.unwrap().status(), 200);
        app.stop();
    }
    assert_eq!(collector.connections(), 0);
    assert!(server.requests().iter().all(|request| request.header("traceparent").is_none()));
}

//! A slow model holds up those who ask it, and nobody else.

use std::time::Duration;

use e2e::app::App;
use e2e::model_server::{ModelServer, Reply};
use e2e::runtime::{Runtime, runtime};
use futures::{StreamExt as _, stream};

use super::{ALONE, ATTEMPTS, latencies, percentile};

const IN_FLIGHT: usize = 16;

#[tokio::test]
async fn cached_answers_stay_fast_while_inferences_are_in_flight() {
    let _alone = ALONE.lock().await;
    let model = ModelServer::start().unwrap();
    // Spin runs one inference after the other, so the last of 16 takes 32 s.
    let app = App::builder()
        .model(&model)
        .variable("variants", "promptstore1")
        .variable("model_timeout", "120")
        .start();
    app.ask("This is in the store.").await;
    latencies(&app, "This is in the store.", 200).await;
    model.answer_sentence("slow", Reply::from("neutral").after(Duration::from_secs(2)));

    let (expected, bound) = match runtime() {
        Runtime::Embedded => (IN_FLIGHT, Duration::from_millis(20)),
        // It sends head and body in two pieces, the second of which waits up to 40 ms for the client to confirm the first.
        Runtime::Spin(_) => (1, Duration::from_millis(60)),
    };
    let mut slowest = Vec::new();
    for attempt in 0..ATTEMPTS {
        let slow = stream::iter(0..IN_FLIGHT).map(|number| {
            let sentence = format!("This one is slow: {attempt}, {number}");
            let app = &app;
            async move { assert!(!app.ask(&sentence).await.cached) }
        });
        let slow = slow.buffer_unordered(IN_FLIGHT).collect::<Vec<()>>();
        let cached = async {
            model.until_in_flight(expected).await;
            let latencies = latencies(&app, "This is in the store.", 500).await;
            (latencies, model.in_flight() >= expected)
        };
        let (_, (latencies, all_in_flight)) = tokio::join!(slow, cached);
        let p99 = percentile(&latencies, 99);
        eprintln!(
            "p50 {:?}, p99 {p99:?}, all in flight to the end: {all_in_flight}",
            percentile(&latencies, 50)
        );
        if p99 < bound && all_in_flight {
            return;
        }
        slowest.push(p99);
    }
    panic!("99th percentiles of {slowest:?}, or slower than the inferences beside them");
}

#[tokio::test]
async fn inferences_run_at_the_same_time() {
    if !e2e::runtime::embedded_only("Spin runs one inference after the other") {
        return;
    }
    let _alone = ALONE.lock().await;
    let model = ModelServer::start().unwrap();
    let app = App::with(&model);
    let hold = model.hold();
    let asked = stream::iter(0..64).map(|number| {
        let app = &app;
        async move { app.ask(&format!("Sentence {number}")).await }
    });
    let asked = asked.buffer_unordered(64).collect::<Vec<_>>();
    let let_go = async {
        model.until_in_flight(64).await;
        drop(hold);
    };
    let (answers, ()) = tokio::join!(asked, let_go);
    assert_eq!((answers.len(), model.most_in_flight()), (64, 64));
}

//! A slow model holds up those who ask it, and nobody else.

use std::time::{Duration, Instant};

use e2e::app::{App, AppBuilder};
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
    let at_once = if matches!(runtime(), Runtime::Embedded) { IN_FLIGHT } else { 1 };
    cached_answers_stay_fast(App::builder().model(&model), &model, at_once, None).await;
}

#[tokio::test]
async fn a_model_server_is_asked_everything_at_once_beside_cached_answers() {
    let _alone = ALONE.lock().await;
    let model = ModelServer::start().unwrap();
    let limit = Duration::from_secs(3);
    cached_answers_stay_fast(App::builder().model_server(&model), &model, IN_FLIGHT, Some(limit)).await;
}

/// Asks for 16 inferences of 2 s, of which `at_once` run at the same time, and which together may take `limit`.
async fn cached_answers_stay_fast(
    builder: AppBuilder,
    model: &ModelServer,
    at_once: usize,
    limit: Option<Duration>,
) {
    let app = builder.variable("variants", "promptstore1").variable("model_timeout", "120").start();
    app.ask("This is in the store.").await;
    latencies(&app, "This is in the store.", 200).await;
    model.answer_sentence("slow", Reply::from("neutral").after(Duration::from_secs(2)));

    // Spin sends head and body in two pieces, the second of which waits some 40 ms for the client to confirm the first. So many
    // answers fit into the 2 s.
    let (bound, count) = match runtime() {
        Runtime::Embedded => (Duration::from_millis(20), 500),
        Runtime::Spin(_) => (Duration::from_millis(60), 35),
    };
    let mut slowest = Vec::new();
    for attempt in 0..ATTEMPTS {
        let slow = stream::iter(0..IN_FLIGHT).map(|number| {
            let sentence = format!("This one is slow: {attempt}, {number}");
            let app = &app;
            async move { assert!(!app.ask(&sentence).await.cached) }
        });
        let slow = async {
            let started = Instant::now();
            slow.buffer_unordered(IN_FLIGHT).collect::<Vec<()>>().await;
            started.elapsed()
        };
        let cached = async {
            model.until_in_flight(at_once).await;
            let latencies = latencies(&app, "This is in the store.", count).await;
            (latencies, model.in_flight() >= at_once)
        };
        let (elapsed, (latencies, all_in_flight)) = tokio::join!(slow, cached);
        let p99 = percentile(&latencies, 99);
        eprintln!(
            "p50 {:?}, p99 {p99:?}, all in flight to the end: {all_in_flight}; all inferences {elapsed:?}",
            percentile(&latencies, 50)
        );
        if p99 < bound && all_in_flight && limit.is_none_or(|limit| elapsed < limit) {
            return;
        }
        slowest.push((p99, elapsed));
    }
    panic!(
        "99th percentiles and times of all inferences: {slowest:?}; or slower than the inferences beside them"
    );
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

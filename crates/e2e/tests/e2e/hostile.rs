//! Components that do what no component should: each ends alone.

use std::time::Duration;

use e2e::app::App;
use e2e::runtime::embedded_only;
use e2e::usage;
use futures::future::{join, join_all};
use reqwest::{Method, RequestBuilder, Response};

const WHY: &str = "the bounds are those of the embedded runtime";

fn to(app: &App, deed: &str) -> RequestBuilder {
    app.request(Method::POST, &format!("/hostile/{deed}"))
}

async fn harmless(app: &App) -> Response {
    to(app, "harmless").body(vec![b'x'; 1024 * 1024]).send().await.unwrap()
}

#[tokio::test]
async fn an_instance_that_dies_takes_no_other_request_with_it() {
    let app = App::forwarder("http://127.0.0.1:1").start();
    for deed in ["all-memory", "endless-recursion", "panic"] {
        let others = join_all((0..20).map(|_| harmless(&app)));
        let (dies, others) = join(to(&app, deed).send(), others).await;
        assert_eq!(dies.unwrap().status(), 500, "{deed}");
        assert!(others.iter().all(|other| other.status() == 200), "{deed}");
    }
    let label = to(&app, "foreign-label").send().await.unwrap().text().await.unwrap();
    assert!(label.contains("AccessDenied"), "{label}");
}

#[tokio::test]
async fn work_that_nobody_waits_for_any_more_ends() {
    if !embedded_only(WHY) {
        return;
    }
    let app = App::forwarder("http://127.0.0.1:1").start();
    for (deed, times) in [("endless-loop", 20), ("endless-output", 1)] {
        let given_up =
            join_all((0..times).map(|_| to(&app, deed).timeout(Duration::from_millis(500)).send()));
        let (given_up, other) = join(given_up, harmless(&app)).await;
        assert!(given_up.into_iter().all(|answer| answer.is_err_and(|error| error.is_timeout())), "{deed}");
        assert_eq!(other.status(), 200, "{deed}");
        // Until the process computes for less than a tenth of half a second.
        loop {
            let before = usage::cpu(app.process()).unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            if usage::cpu(app.process()).unwrap() < before + Duration::from_millis(50) {
                break;
            }
        }
    }
    assert!(usage::peak(app.process()).unwrap() < 200 * 1024 * 1024, "what was printed is bounded");
}

#[tokio::test]
async fn the_memory_of_all_instances_is_bounded() {
    const KEEPERS: usize = 5;
    if !embedded_only(WHY) {
        return;
    }
    let app = App::forwarder("http://127.0.0.1:1").start();
    let keepers: Vec<_> = (0..KEEPERS).map(|_| tokio::spawn(to(&app, "keep-memory").send())).collect();
    while app.process().output().matches(" MiB").count() < KEEPERS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = app.process().output();
    let kept = |line: &str| line.split_once("keeps ")?.1.strip_suffix(" MiB")?.parse::<u32>().ok();
    let kept: u32 = output.lines().filter_map(kept).sum();
    assert!((950..=1024).contains(&kept), "{kept} MiB:\n{output}");
    let refused = to(&app, "harmless").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after").is_some()), (503, true));
    for keeper in keepers {
        keeper.abort();
    }
    while to(&app, "harmless").send().await.unwrap().status() != 200 {
        // Until the memory is free again.
    }
}

#[tokio::test]
async fn what_goes_on_after_its_answer_takes_no_place_of_other_components() {
    const AT_ONCE: usize = 64;
    const INSTANCES: usize = 512;
    if !embedded_only(WHY) {
        return;
    }
    let app = App::forwarder("http://127.0.0.1:1").start();
    let asleep = || app.process().output().matches("falls asleep").count();
    let refused = loop {
        let before = asleep();
        let answers = join_all((0..AT_ONCE).map(|_| to(&app, "sleep-after-answering").send())).await;
        let refused = answers.into_iter().map(Result::unwrap).find(|answer| answer.status() != 200);
        if let Some(refused) = refused {
            break refused;
        }
        while asleep() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(asleep() <= INSTANCES, "a component has more instances than it may have");
    };
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after").is_some()), (503, true));
    let other = app.get("/").await;
    assert_ne!(other.status, 503, "{}", other.text());
}

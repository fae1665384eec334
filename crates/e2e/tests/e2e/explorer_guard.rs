//! What the explorer does not let happen, to its page and to its stores.

use std::cell::Cell;
use std::time::{Duration, Instant};

use e2e::app::{App, FIRST, SECOND};
use e2e::browser::Browser;
use e2e::explorer::{Explorer, safe};
use e2e::model_server::ModelServer;
use e2e::runtime::{Runtime, runtime};
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::explorer_beyond::{call_with, ok};
use crate::explorer_page::{fill, follow, open, until_text, until_texts};

/// Every call that may change the store.
fn changes() -> [(Method, String, &'static str); 5] {
    let prompt = format!("/stores/{FIRST}/keys/{}", safe("prompt"));
    [
        (Method::POST, format!("/stores/{FIRST}"), "{\"key\": \"evil\", \"value\": \"\"}"),
        (Method::PUT, prompt.clone(), "evil"),
        (Method::DELETE, prompt, ""),
        (Method::POST, format!("/stores/{FIRST}/delete"), "{\"prefix\": \"\"}"),
        (Method::POST, format!("/stores/{FIRST}/import"), "{\"key\": \"evil\", \"value\": \"\"}"),
    ]
}

#[tokio::test]
async fn a_read_only_explorer_reads() {
    let app = App::builder().manifest("kv_read_only = \"false\"", "kv_read_only = \"true\"").start();
    let explorer = app.explorer();
    let before = app.rows(FIRST);
    for (method, path, body) in changes() {
        let detail = explorer.call(method, &path, Some(body.into())).await.problem(403);
        assert!(detail.contains("kv_read_only"), "{path}: {detail}");
    }
    assert_eq!(app.rows(FIRST), before);
    assert_eq!(Explorer::value(&explorer.get(FIRST, "prompt").await), before["prompt"]);
    assert_eq!(explorer.keys(FIRST).await, ["prompt"]);
    assert_eq!(ok(&explorer.call(Method::GET, "/stores", None).await)["read_only"], true);
}

#[tokio::test]
async fn other_origins_neither_read_nor_change() {
    let app = App::builder().start();
    let before = app.rows(FIRST);
    let list = (Method::GET, format!("/stores/{FIRST}"), "");
    for (name, value) in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for (method, path, body) in changes().into_iter().chain([list.clone()]) {
            let answer = call_with(&app, method, &path, &[(name, value)], body.into()).await;
            answer.problem(403);
            assert_eq!(answer.header("access-control-allow-origin"), "", "{name}: {value}");
        }
    }
    assert_eq!(app.rows(FIRST), before);
    let own = [("origin", app.url("")), ("sec-fetch-site", "same-origin".to_owned())];
    let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(call_with(&app, list.0, &list.1, &own, vec![]).await.status, 200);
}

#[tokio::test]
async fn behind_a_proxy_that_rewrites_the_host_the_page_can_write() {
    let app = App::builder().start();
    let path = format!("/stores/{FIRST}/keys/{}", safe("key"));
    let put = async |site| {
        let headers = [
            ("host", "internal.example:8080"),
            ("origin", "https://proxied.example"),
            ("sec-fetch-site", site),
        ];
        call_with(&app, Method::PUT, &path, &headers, b"value".to_vec()).await
    };
    put("cross-site").await.problem(403);
    assert!(!app.rows(FIRST).contains_key("key"));
    ok(&put("same-origin").await);
    assert_eq!(app.rows(FIRST)["key"], b"value");
}

/// Wrong tries, and how many of them wait for their answer at the same time.
const TRIES: usize = 1200;
const AT_ONCE: usize = 400;

/// How long the embedded runtime holds an answer to a wrong try back, at least.
const DELAY: Duration = Duration::from_millis(250);

#[tokio::test]
async fn wrong_tries_are_logged_and_held_back_and_hold_up_nobody_else() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    let explorer = app.explorer();
    app.ask("This is in the store.").await;
    let is_spin = matches!(runtime(), Runtime::Spin(_));
    let guesses = stream::iter(0..TRIES).map(|number| {
        let guesser = explorer.with_credentials(&format!("ada:guess {number}"));
        async move {
            let sent = Instant::now();
            guesser.call(Method::GET, "/stores", None).await.problem(401);
            assert!(
                is_spin || sent.elapsed() >= DELAY,
                "guess {number} was answered after {:?}",
                sent.elapsed()
            );
        }
    });
    let guessing = Cell::new(true);
    let guesses = async {
        guesses.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        guessing.set(false);
    };
    let others = async {
        let mut served = 0;
        while guessing.get() {
            ok(&explorer.call(Method::GET, "/stores", None).await);
            assert!(app.ask("This is in the store.").await.cached);
            served += 1;
        }
        served
    };
    let ((), served) = futures::join!(guesses, others);
    // Were they held up as the guesses are, no more would have been served than guesses one after another. Spin holds none back.
    assert!(is_spin || served > TRIES / AT_ONCE, "{served} others were served");

    let logged = Cell::new(0);
    app.process().wait_for(|line| {
        let (_, client) = line.split_once("refused wrong credentials from ")?;
        assert!(client.starts_with("127.0.0.1:"), "{line}");
        logged.set(logged.get() + 1);
        (logged.get() == TRIES).then_some(())
    });
    let log = app.log("kv-explorer", "stderr", "refused wrong credentials from 127.0.0.1:", TRIES);
    assert!(
        !app.process().output().contains("guess") && !log.contains("guess"),
        "what was tried is in the log"
    );
}

/// Markup that would run `window.__xss = 1`, or ask another origin for something.
const MARKUP: [&str; 24] = [
    "<script>window.__xss=1</script>",
    "<img src=y onerror=window.__xss=1>",
    "<img src=http://elsewhere.example/p.png>",
    "<svg onload=window.__xss=1>",
    "<svg><script>window.__xss=1</script></svg>",
    "\"><script>window.__xss=1</script>",
    "'\"--><svg/onload=window.__xss=1>",
    "javascript:window.__xss=1",
    "<a href=javascript:window.__xss=1>x</a>",
    "<iframe srcdoc='<script>parent.__xss=1</script>'>",
    "<iframe src=javascript:parent.__xss=1>",
    "{{constructor.constructor('window.__xss=1')()}}",
    "${window.__xss=1}",
    "<body onload=window.__xss=1>",
    "<details open ontoggle=window.__xss=1>",
    "<input autofocus onfocus=window.__xss=1>",
    "</textarea><script>window.__xss=1</script>",
    "</title></template><script>window.__xss=1</script>",
    "<style>@import'http://elsewhere.example/x'</style>",
    "<link rel=stylesheet href=http://elsewhere.example/x>",
    "<base href=http://elsewhere.example/>",
    "<object data=javascript:window.__xss=1>",
    "<math><mi xlink:href='data:text/html,<script>window.__xss=1</script>'>",
    "&lt;img src=y onerror=window.__xss=1&gt;",
];

#[tokio::test]
async fn markup_stays_text_in_keys_values_records_labels_and_errors() {
    let Some(browser) = Browser::start().await else { return };
    let left = MARKUP.map(|markup| (markup, markup.as_bytes()));
    let records = MARKUP.map(|markup| {
        let record = json!({ "sentiment": "positive", "model": markup, "prompt": markup, markup: markup });
        record.to_string().into_bytes()
    });
    let right = MARKUP.into_iter().zip(records.iter().map(Vec::as_slice));
    let app = App::builder().store(FIRST, "left", left).store(SECOND, "right", right).start();
    open(&browser, &app, &format!("store={FIRST}")).await;
    for markup in MARKUP {
        follow(&browser, FIRST, markup).await;
        until_text(&browser, markup).await;
        follow(&browser, SECOND, markup).await;
        until_texts(&browser, ".value-body .record tr:nth-child(2) td", &[markup]).await;
        until_texts(&browser, ".value-body .record tr:last-child th", &[markup]).await;
    }
    assert_nothing_ran(&browser).await;

    browser.click("#compare").await;
    browser.until("document.querySelectorAll('.compare-row').length > 9").await;
    fill(&browser, &[("compare-view input", MARKUP[1])]).await;
    until_texts(&browser, ".compare-row .key", &[MARKUP[1]]).await;
    browser.click(".compare-row").await;
    until_texts(&browser, ".both h2", &[MARKUP[1]]).await;
    until_texts(&browser, ".both .sides pre", &[MARKUP[1]]).await;
    assert_nothing_ran(&browser).await;

    // A label that is none, which the error names.
    browser.run("location.hash = new URLSearchParams({ store: arguments[0] });", &[MARKUP[1].into()]).await;
    let named = json!(MARKUP[1]);
    browser
        .until(&format!("document.querySelector('entry-list .failure').innerText.includes({named})"))
        .await;
    assert_nothing_ran(&browser).await;
    browser.assert_clean(&app.url("")).await;
}

async fn assert_nothing_ran(browser: &Browser) {
    assert_eq!(browser.run("return window.__xss ?? null;", &[]).await, Value::Null);
    let strangers = "script, iframe, img, object, input[autofocus], details, style, link, base, math, \
                     [href^=javascript], [onload], [onerror], [onfocus], [ontoggle]";
    let script =
        "return [...document.querySelectorAll(`main :is(${arguments[0]})`)].map((it) => it.outerHTML);";
    assert_eq!(browser.run(script, &[strangers.into()]).await, json!([]));
}

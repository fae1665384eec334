//! Which prompt is better: the API's answer, and the page.

use std::time::{Duration, Instant};

use e2e::app::{App, FIRST, JOURNAL, MODEL, SECOND};
use e2e::browser::Browser;
use e2e::model_server::ModelServer;
use e2e::process::PATIENCE;
use e2e::response::Response;
use e2e::runtime::embedded_only;
use experiment::Fingerprint;
use experiment::analysis::Observation;
use experiment::journal::{Draw, Given, Journal, Round, Stratum};
use experiment::key_values::{KeyValues as _, Memory};
use experiment::tally::Sums;
use reqwest::Method;
use serde_json::{Value, json};

const RESULTS: &str = "/api/results";

/// Fills both stores with this many observations each, counted, and the journal. Of every `labelled` one people said what is right, with
/// a vote and an annotation; the first variant is wrong on each fourth of these, the second on each tenth.
pub(crate) fn observe(app: &App, observations: usize, labelled: usize) {
    annotate(app, observations, labelled);
    for (label, store, wrong) in [(FIRST, "case-a", 4), (SECOND, "case-b", 10)] {
        let prompt = String::from_utf8(app.rows(label)["prompt"].clone()).unwrap();
        let mut sums = Sums::default();
        let mut entries: Vec<(String, Vec<u8>)> = (0..observations)
            .map(|number| {
                let outcome = if (number / labelled).is_multiple_of(wrong) { "negative" } else { "positive" };
                let observation = Observation {
                    prompt: Fingerprint::of(&prompt),
                    model: MODEL,
                    outcome,
                    expected: number.is_multiple_of(labelled).then_some("positive").into_iter().collect(),
                    elapsed_ms: Some(200),
                    prompt_tokens: 96,
                    generated_tokens: 2,
                };
                sums.add(&observation);
                let mut record = json!({
                    "sentiment": outcome,
                    "prompt": observation.prompt,
                    "model": MODEL,
                    "at": "2026-07-31T12:34:56.789Z",
                    "elapsed_ms": 200,
                    "prompt_tokens": 96,
                    "generated_tokens": 2,
                });
                if let Some(expected) = observation.expected.first() {
                    record["expected"] = (*expected).into();
                }
                (format!("Sentence {number}"), record.to_string().into_bytes())
            })
            .collect();
        entries.extend(sums.entries(false).unwrap());
        let entries = entries.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        app.store_file(store).set(label, entries);
    }
}

fn annotate(app: &App, observations: usize, labelled: usize) {
    let prompts = current_prompts(app);
    let round = Round::new(prompts, MODEL);
    let (store, mut drawn) = (Memory::default(), [0_i64; 2]);
    for number in 0..observations {
        let mut draw = Draw::new(format!("Sentence {number}"));
        for (prompt, wrong) in prompts.into_iter().zip([4, 10]) {
            draw.add(prompt, if (number / labelled).is_multiple_of(wrong) { "negative" } else { "positive" });
        }
        drawn[usize::from(draw.stratum() == Stratum::Agree)] += 1;
        if number.is_multiple_of(labelled) {
            let given = Given { expected: Some("positive".to_owned()), at: String::new() };
            Journal::new(&store).keep(&round, &draw, "ada", &given).unwrap();
        }
    }
    let mut rows = store.into_entries();
    for (stratum, drawn) in Stratum::ALL.into_iter().zip(drawn) {
        rows.insert(round.counter_key(stratum), drawn.to_le_bytes().to_vec());
    }
    let entries = rows.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    app.store_file(JOURNAL).set(JOURNAL, entries);
}

/// Lets these sentences wait for somebody to annotate them, and no others.
pub(crate) fn wait_for_annotation(app: &App, sentences: &[String]) {
    let prompts = current_prompts(app);
    let round = Round::new(prompts, MODEL);
    let mut rows: Vec<_> = (0..)
        .zip(sentences)
        .map(|(slot, sentence)| {
            let mut draw = Draw::new(sentence.trim());
            prompts
                .into_iter()
                .zip(["positive", "negative"])
                .for_each(|(prompt, outcome)| draw.add(prompt, outcome));
            (round.slot_key(Stratum::Differ, slot), serde_json::to_vec(&draw).unwrap())
        })
        .collect();
    let drawn = [sentences.len() as u64, 0];
    for (stratum, drawn) in Stratum::ALL.into_iter().zip(drawn) {
        rows.push((round.counter_key(stratum), drawn.to_le_bytes().to_vec()));
    }
    let entries = rows.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    app.store_file(JOURNAL).set(JOURNAL, entries);
}

/// Lets two people say different things of a sentence that was drawn.
pub(crate) fn dispute(app: &App, sentence: &str, people: [&str; 2]) {
    let prompts = current_prompts(app);
    let mut draw = Draw::new(sentence.trim());
    draw.add(prompts[0], "positive");
    draw.add(prompts[1], "negative");
    let store = Memory::default();
    for (key, value) in app.rows(JOURNAL) {
        store.set(&key, value).unwrap();
    }
    for (who, expected) in people.into_iter().zip(["positive", "negative"]) {
        let given = Given { expected: Some(expected.to_owned()), at: String::new() };
        Journal::new(&store).keep(&Round::new(prompts, MODEL), &draw, who, &given).unwrap();
    }
    let rows = store.into_entries();
    let entries = rows.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    app.store_file(JOURNAL).set(JOURNAL, entries);
}

fn current_prompts(app: &App) -> [Fingerprint; 2] {
    [FIRST, SECOND].map(|label| Fingerprint::of(str::from_utf8(&app.rows(label)["prompt"]).unwrap()))
}

/// The results, once they are as expected: what is written is counted after its answer has left.
pub(crate) async fn results_when(app: &App, expected: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + PATIENCE;
    loop {
        let report = app.get(RESULTS).await.json();
        if expected(&report) {
            return report;
        }
        assert!(Instant::now() < patience, "{report}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn observations_and_corrections_show() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::with_one_variant(&model);
    let report = app.get(RESULTS).await.json();
    assert_eq!((&report["variants"][0]["n"], &report["decision"]), (&json!(0), &Value::Null));

    for number in 0..4 {
        let sentence = format!("Sentence {number}");
        app.ask(&sentence).await;
        app.ask(&sentence).await;
        let expected = if number == 0 { "negative" } else { "positive" };
        let body = json!({ "sentence": sentence, "variant": FIRST, "expected": expected }).to_string();
        let response = Response::of(app.request(Method::POST, "/api/feedback").body(body)).await.unwrap();
        assert_eq!(response.status, 200);
    }
    app.write(FIRST, "no record", "positive");
    let report = results_when(&app, |report| {
        let variant = &report["variants"][0];
        variant["n"] == 4 && variant["accuracy"]["n"] == 4
    })
    .await;
    let variant = &report["variants"][0];
    assert_eq!(
        (&variant["n"], &variant["stale"], &variant["latency"]["n"]),
        (&json!(4), &json!(0), &json!(4))
    );
    assert_eq!((&variant["accuracy"]["count"], &variant["accuracy"]["n"]), (&json!(3), &json!(4)));

    // Another prompt: what was observed of the old one does not count.
    app.write(FIRST, "prompt", "Another prompt: {SENTENCE}");
    let first =
        |report: &Value| (report["variants"][0]["n"].as_u64(), report["variants"][0]["stale"].as_u64());
    results_when(&app, |report| first(report) == (Some(0), Some(4))).await;
}

/// Nothing but counters is read, so records of other origin count once they are counted.
#[tokio::test]
async fn results_are_what_was_counted() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::builder().model(&model).variable("shadow", "1").start();
    observe(&app, 2_000, 4);
    app.ask("A sentence of its own").await;
    let n = |report: &Value, variant: usize| report["variants"][variant]["n"].as_u64();
    let report = results_when(&app, |it| (n(it, 0), n(it, 1)) == (Some(2_001), Some(2_001))).await;
    assert_eq!(report["decision"]["winner"], SECOND);
    let latency = report["variants"][0]["latency"]["n"].as_u64();
    assert_eq!((latency, report["variants"][0]["tokens"]["n"].as_u64()), (Some(2_001), Some(2_001)));
    // One of another prompt takes the place of one of these.
    app.write(FIRST, "prompt", "Another prompt: {SENTENCE}");
    let mut assigned = app.ask("Sentence 1").await;
    while assigned.variant != FIRST {
        assigned = app.ask("Sentence 1").await;
    }
    let first = |report: &Value| (n(report, 0), report["variants"][0]["stale"].as_u64());
    results_when(&app, |report| first(report) == (Some(1), Some(2_000))).await;
}

#[tokio::test]
async fn stores_that_were_filled_before_there_were_tallies_are_counted() {
    if !embedded_only("on Spin `cargo ab recount` does it") {
        return;
    }
    let prompt = "Older: {SENTENCE}";
    let record = json!({
        "sentiment": "positive", "expected": "negative", "prompt": Fingerprint::of(prompt), "model": MODEL,
    });
    let record = record.to_string();
    let entries = [("prompt", prompt.as_bytes()), ("Rain again", record.as_bytes())];
    let app = App::builder().store(FIRST, "case-a", entries).start();
    let report = app.get(RESULTS).await.json();
    let variant = &report["variants"][0];
    // What people said then are votes.
    assert_eq!((&variant["n"], &variant["accuracy"]["n"]), (&json!(1), &json!(1)));
    assert_eq!(report["comparisons"][0]["annotated"]["annotated"], 0);
}

#[tokio::test]
async fn what_keeps_it_from_reading_is_said() {
    // Without a setting of the API, as the check at the start would not let this pass.
    let app = App::builder()
        .manifest("assignment = \"{{ assignment }}\"\n", "")
        .variable("variants", "promptstore1,elsewhere")
        .start();
    let detail = app.get(RESULTS).await.problem(503);
    for part in ["`elsewhere`", "key_value_stores", "the variable `variants`"] {
        assert!(detail.contains(part), "{part:?} is not in {detail:?}");
    }
    let response = Response::of(app.request(Method::POST, RESULTS)).await.unwrap();
    assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
    response.problem(405);
}

/// Opens the page until it shows all of this: what was answered last is answered again for a quarter of a second.
async fn open_when_shown(browser: &Browser, app: &App, parts: &[&str]) {
    let patience = Instant::now() + PATIENCE;
    loop {
        browser.open(&app.url("/results")).await;
        browser.until("document.querySelector('#report')?.checkVisibility()").await;
        let shown = browser.text("#report").await;
        let Some(missing) = parts.iter().find(|part| !shown.contains(**part)) else { return };
        assert!(Instant::now() < patience, "{missing:?} is not in {shown:?}");
    }
}

#[tokio::test]
async fn the_page_says_what_is_known_and_no_more() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().start();
    for (observations, labelled, heading, parts) in [
        (
            0,
            1,
            "No observations yet",
            ["becomes an observation", "Analyse some sentences", "How this was computed"],
        ),
        (
            1,
            1,
            "Not decided yet",
            [
                "more annotated differences",
                "are enough for a decision in 8 of 10 cases",
                "0.0% of 1 (0.0–79.3)",
            ],
        ),
        (50, 2, "Not decided yet", ["50 votes", "72.0% of 25 (", "88.0% of 25 ("]),
        (
            50_000,
            100,
            "promptstore2 is better",
            ["75.0% of 500 (", "90.0% of 500 (", "promptstore2 alone is right on 1"],
        ),
    ] {
        observe(&app, observations, labelled);
        for scheme in ["light", "dark"] {
            browser.colour_scheme(scheme).await;
            open_when_shown(&browser, &app, &parts).await;
            assert_eq!(browser.text("#conclusion-title").await, heading);
            let colour = browser.run("return getComputedStyle(document.body).backgroundColor;", &[]).await;
            assert_eq!(colour == "rgb(246, 246, 243)", scheme == "light", "{scheme}: {colour}");
            // Each chart says in words what it shows; of nothing there is none.
            let charts =
                "[...document.querySelectorAll('svg.chart')].filter((chart) => chart.checkVisibility())";
            let wordless =
                format!("{charts}.filter((chart) => !chart.querySelector('desc')?.textContent).length");
            assert_eq!(
                browser.run(&format!("return [{charts}.length > 1, {wordless}];"), &[]).await,
                json!([observations > 0, 0])
            );
            browser.assert_clean(&app.url("")).await;
        }
    }
    // A store that cannot be read is said so, and the old report stays.
    drop(app);
    browser.click("#refresh").await;
    browser.until("document.querySelector('#failure').textContent.includes('cannot be reached')").await;
    assert_eq!(browser.text("#conclusion-title").await, "promptstore2 is better");
}

#[tokio::test]
async fn the_page_asks_for_what_helps() {
    let Some(browser) = Browser::start().await else { return };
    let app = App::builder().variable("model_note", "Answers come from a small model.").start();
    let explorer = format!("/internal/kv-explorer/#store={FIRST}&against={SECOND}");
    for (observations, labelled, step, disagreements) in [
        (0, 1, "/", ""),
        // Everything is labelled, and then not.
        (50, 1, "/", &*explorer),
        (50_000, 100, "", &explorer),
    ] {
        observe(&app, observations, labelled);
        let expected = match observations {
            0 => "Analyse some sentences",
            50 => "Analyse more sentences",
            _ => "cargo ab promote promptstore2",
        };
        open_when_shown(&browser, &app, &[expected]).await;
        let href = "(selector) => document.querySelector(selector)?.getAttribute('href') ?? ''";
        let links = format!("['.call', 'results-comparisons a'].map({href})");
        assert_eq!(browser.run(&format!("return {links};"), &[]).await, json!([step, disagreements]));
        assert_eq!(browser.text("#model-note").await.trim(), "Answers come from a small model.");
        let said = browser.text("results-conclusion").await;
        assert!(said.contains(expected), "{expected:?} is not in {said:?}");
        // Neither variant's colour for what is of both; a tint for each cell of a matrix.
        let coloured = "document.querySelectorAll('results-comparisons [data-series]').length";
        let cells = "document.querySelectorAll('td.share').length";
        let matrices = if observations > 0 { 2 * 3 * 4 } else { 0 };
        assert_eq!(browser.run(&format!("return [{coloured}, {cells}];"), &[]).await, json!([0, matrices]));
        browser.assert_clean(&app.url("")).await;
    }
}

#[tokio::test]
async fn names_and_commands_are_set_as_code() {
    let Some(browser) = Browser::start().await else { return };
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    let app = App::builder().model(&model).variable("shadow", "0").start();
    app.ask("fine").await;
    open_when_shown(&browser, &app, &["No new sentence has been answered by all prompts yet"]).await;
    let code =
        "return [...document.querySelectorAll('results-conclusion p code')].map((code) => code.textContent);";
    assert_eq!(browser.run(code, &[]).await, json!(["shadow", "cargo ab backfill"]));
    assert!(!browser.text("#report").await.contains('`'));
    browser.assert_clean(&app.url("")).await;
}

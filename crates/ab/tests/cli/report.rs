//! `report` and `promote` on real stores.

use std::collections::BTreeMap;

use experiment::journal::{Draw, Given, Journal, Round, Stratum};
use experiment::key_values::Memory;
use experiment::tally::{self, INDEX_KEY, PREFIX, Source};
use experiment::{Fingerprint, Key, Record, conversion, counter};
use insta::assert_snapshot;
use redis::Commands as _;
use rusqlite::Connection;
use sentiment::Outcome::{self, Negative, Neutral, Positive, Unsure};
use serde_json::Value;

use crate::sandbox::{Sandbox, app_reads};
use e2e::axe;
use e2e::browser::Browser;
use e2e::model_server::{ModelServer, Reply};
use e2e::redis_server::RedisServer;

const APP: &str = "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
    [variables]\nmodel = { default = \"llama2-chat\" }\nvariants = { default = \"one=3,two\" }\n\
    [component.api]\nsource = \"api.wasm\"\nkey_value_stores = [\"one\", \"two\", \"journal\"]\n";

pub(crate) const PROMPTS: [(&str, &str, &str); 2] =
    [("case-a", "one", "A: {SENTENCE}"), ("case-b", "two", "B: {SENTENCE}")];

/// An app with two linked stores that hold a prompt each.
pub(crate) fn app(redis: Option<&RedisServer>) -> Sandbox {
    let mut sandbox = Sandbox::new(&[]);
    sandbox.write("spin.toml", APP);
    for ((store, label, prompt), database) in PROMPTS.into_iter().zip(1..) {
        let redis = redis.map(|redis| format!("--redis {}", redis.url(database))).unwrap_or_default();
        sandbox.ab(&format!("kv create {store} {redis}")).ok();
        sandbox.run(&["kv", "set", "--store", store, &format!("prompt={prompt}")]).ok();
        sandbox.ab(&format!("link key-value {label} --store {store}")).ok();
    }
    let redis_journal = redis.map(|redis| format!("--redis {}", redis.url(3))).unwrap_or_default();
    sandbox.ab(&format!("kv create journal {redis_journal}")).ok();
    sandbox.ab("link key-value journal --store journal").ok();
    if let Some(redis) = redis {
        sandbox.redact(redis.port.to_string(), "[PORT]");
    }
    sandbox
}

/// What the app would have recorded: for each of so many sentences, the outcome and, three times of five, what a person said.
pub(crate) fn records(
    prompt: &str,
    sentences: u64,
    answers: impl Fn(u64) -> Outcome,
) -> Vec<(String, Vec<u8>)> {
    let records = (0..sentences).map(|number| {
        let sentence = format!("Sentence {number}");
        let key = Key::for_sentence(&sentence);
        let truth = [Positive, Neutral, Negative][usize::try_from(number % 3).unwrap()];
        let mut record =
            Record::new(&key, answers(number), Fingerprint::of(prompt), "llama2-chat").with_tokens(90, 2);
        record.elapsed_ms = 20;
        let record = record.with_expected((number % 5 < 3).then_some(truth));
        (key.as_str().to_owned(), record.to_json().unwrap())
    });
    records.collect()
}

pub(crate) fn right(number: u64) -> Outcome {
    [Positive, Neutral, Negative][usize::try_from(number % 3).unwrap()]
}

/// Fills the stores: the second variant is right far more often, and saw sentences that the first did not.
fn observations() -> [Vec<(String, Vec<u8>)>; 2] {
    let mut first = records(PROMPTS[0].2, 240, |number| if number % 8 < 4 { right(number) } else { Unsure });
    first.extend(
        records("an older prompt", 5, right).into_iter().map(|(key, value)| (format!("old {key}"), value)),
    );
    first.push(("not a record".to_owned(), b"\xff".to_vec()));
    [first, records(PROMPTS[1].2, 250, |number| if number % 8 < 7 { right(number) } else { Neutral })]
}

/// What people annotated: of the 240 sentences that both saw the prompts differ on 120, and three of five have an annotation.
fn journal() -> Vec<(String, Vec<u8>)> {
    let prompts = PROMPTS.map(|(_, _, prompt)| Fingerprint::of(prompt));
    let round = Round::new(prompts, "llama2-chat");
    let store = Memory::default();
    for number in 0..240 {
        let mut draw = Draw::new(format!("Sentence {number}"));
        let answers = [
            if number % 8 < 4 { right(number) } else { Unsure },
            if number % 8 < 7 { right(number) } else { Neutral },
        ];
        prompts.into_iter().zip(answers).for_each(|(prompt, answer)| draw.add(prompt, answer.as_str()));
        if number % 5 < 3 {
            let given = Given { expected: Some(right(number).as_str().to_owned()), at: String::new() };
            Journal::new(&store).keep(&round, &draw, "ada", &given).unwrap();
        }
    }
    let mut entries: Vec<_> = store.into_entries().into_iter().collect();
    entries.extend(Stratum::ALL.map(|stratum| (round.counter_key(stratum), b"120".to_vec())));
    entries
}

pub(crate) fn fill_sqlite(sandbox: &Sandbox) {
    let journal = ("journal", "journal", "");
    let stores =
        PROMPTS.into_iter().chain([journal]).zip(observations().into_iter().chain([self::journal()]));
    for ((store, label, _), records) in stores {
        let mut connection = Connection::open(sandbox.store(store)).unwrap();
        let transaction = connection.transaction().unwrap();
        for (key, value) in records {
            let value = conversion::converted(&key, value, false);
            transaction
                .execute("INSERT INTO spin_key_value VALUES (?1, ?2, ?3)", (label, key, value))
                .unwrap();
        }
        transaction.commit().unwrap();
    }
}

#[test]
fn what_the_stores_hold() {
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    assert_snapshot!(sandbox.session(&["report"]), @r"
    $ cargo ab report
    App test, model llama2-chat

    two is better
    Of 72 annotated sentences on which the two differ, two alone is right on 60 and one alone on 0: evidence above a million, where 20 is enough. So far there are 490 observations, 294 votes and 72 annotated differences.
    Make two the only prompt: cargo ab promote two

    Each variant in numbers
    +--------------------------+--------------------------+--------------------------+
    |                          | one                      | two                      |
    +================================================================================+
    | Store                    | case-a                   | case-b                   |
    | Observations             | 240                      | 250                      |
    | Stale, not counted       | 5                        | 0                        |
    | Accuracy, annotated      | 50.0% (48.1–51.9)        | 91.7% (87.1–96.3)        |
    | Right, by votes          | 50.0% of 144 (41.9–58.1) | 92.0% of 150 (86.5–95.4) |
    | Macro-F1                 | 0.667                    | 0.922                    |
    | Unsure                   | 50.0% of 240 (43.7–56.3) | 0.0% of 250 (0.0–1.5)    |
    | Latency, median          | 20 ms (n 240)            | 20 ms (n 250)            |
    | Latency, 95th percentile | 20 ms                    | 20 ms                    |
    | Prompt tokens, mean      | 90                       | 90                       |
    | Generated tokens, mean   | 2                        | 2                        |
    | Weight                   | 3                        | 1                        |
    | Prompt                   | 6825d0c85557             | 1a7bb0f2a652             |
    | Model                    | llama2-chat              | llama2-chat              |
    +--------------------------+--------------------------+--------------------------+

    Outcomes as shares of each variant’s observations
    +----------+--------------------+--------------------+
    |          | one                | two                |
    +====================================================+
    | Positive | 16.7% (40 of 240)  | 29.6% (74 of 250)  |
    | Neutral  | 16.7% (40 of 240)  | 41.2% (103 of 250) |
    | Negative | 16.7% (40 of 240)  | 29.2% (73 of 250)  |
    | Unsure   | 50.0% (120 of 240) | 0.0% (0 of 250)    |
    +----------+--------------------+--------------------+

    Confusion matrix of one (144 votes)
    +----------+----------+---------+----------+--------+-----------+--------+-------+
    | Expected | Positive | Neutral | Negative | Unsure | Precision | Recall | F1    |
    +================================================================================+
    | Positive | 24       | 0       | 0        | 24     | 100.0%    | 50.0%  | 0.667 |
    | Neutral  | 0        | 24      | 0        | 24     | 100.0%    | 50.0%  | 0.667 |
    | Negative | 0        | 0       | 24       | 24     | 100.0%    | 50.0%  | 0.667 |
    +----------+----------+---------+----------+--------+-----------+--------+-------+

    Confusion matrix of two (150 votes)
    +----------+----------+---------+----------+--------+-----------+--------+-------+
    | Expected | Positive | Neutral | Negative | Unsure | Precision | Recall | F1    |
    +================================================================================+
    | Positive | 44       | 6       | 0        | 0      | 100.0%    | 88.0%  | 0.936 |
    | Neutral  | 0        | 50      | 0        | 0      | 80.6%     | 100.0% | 0.893 |
    | Negative | 0        | 6       | 44       | 0      | 100.0%    | 88.0%  | 0.936 |
    +----------+----------+---------+----------+--------+-----------+--------+-------+

    two compared with one
      Both prompts answered 240 new sentences and differ on 120; 72 of these are annotated. Votes are compared on 144 sentences that both answered.
      Annotated differences       72: only one right 0, only two 60, neither 12
      Evidence (decides)          above a million of 20
      Difference in accuracy      +41.7 points
      Interval at every look      +19.3 to +58.8 points
      Difference by votes         +41.7 points
      Its always-valid interval   +17.7 to +65.7 points
      Its fixed 95% interval      +33.2 to +49.5 points
      McNemar’s exact test        p < 0.0001 (144 pairs)
      Right answers               both 72, only one 0, only two 60, neither 12
      Chance to win               one < 0.1%, two > 99.9%
      Expected loss if chosen     one 41.10 points, two < 0.01 points
    warning: 5 observations of one were made with another prompt or model and do not count.
    hint: That is expected after a prompt changes; asking about their sentences again replaces them.
    warning: one gave no outcome in 120 of 240 observations.
    hint: Read some completions: the prompt may not say clearly enough which words to answer with.
    ");
}

#[test]
fn redis_says_the_same() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let (on_redis, on_sqlite) = (app(Some(&redis)), app(None));
    fill_sqlite(&on_sqlite);
    for (database, records) in (1..).zip(observations().into_iter().chain([journal()])) {
        let mut connection = redis::Client::open(redis.url(database)).unwrap().get_connection().unwrap();
        for (key, value) in records {
            let () = connection.set(key, value).unwrap();
        }
    }
    for format in ["table", "json", "csv", "html"] {
        let line = format!("report --format {format}");
        assert_eq!(on_redis.ab(&line).ok().bytes(), on_sqlite.ab(&line).ok().bytes(), "{format}");
    }
}

#[test]
fn the_request_log_tells_of_assignments() {
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    let log = |one: usize, two: usize| {
        let line = |label| {
            format!(
                "sentiment-analysis | {{\"event\":\"sentiment\",\"status\":200,\"variant\":\"{label}\"}}\n"
            )
        };
        line("one").repeat(one) + "Serving http://127.0.0.1:3000\n" + &line("two").repeat(two)
    };
    sandbox.write("good.log", log(750, 250) + "{\"event\":\"sentiment\",\"variant\":\"three\"}\n");
    sandbox.write("bad.log", log(500, 500));
    sandbox.write("empty.log", "nothing here\n");
    let kinds = |file: &str| {
        let json = sandbox.ab(&format!("report --events {file} --format json")).ok();
        let report: Value = serde_json::from_slice(json.bytes()).unwrap();
        let kinds =
            report["warnings"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap().to_owned());
        (report["sample_ratio"][0]["n"].as_u64(), kinds.collect::<Vec<_>>(), json.messages())
    };
    let (n, warnings, messages) = kinds("good.log");
    assert_eq!((n, warnings.contains(&"sample_ratio_mismatch".to_owned())), (Some(1_000), false));
    assert!(messages.contains("1 assignment in good.log"), "{messages}");
    let (n, warnings, _) = kinds("bad.log");
    assert_eq!((n, warnings.contains(&"sample_ratio_mismatch".to_owned())), (Some(1_000), true));
    let piped = sandbox.ab_with_input("report --events - --format csv", log(500, 500).as_bytes()).ok();
    assert!(piped.output_text().contains("phase 1,sample_ratio_p,"), "{}", piped.seen());
    assert_snapshot!(sandbox.session(&["report --events empty.log", "report --events nowhere.log"]), @r"
    $ cargo ab report --events empty.log
    error: empty.log has no request with the variant it was assigned to
    hint: the app logs its requests to standard output, which `up` keeps in .spin/logs/sentiment-analysis_stdout.txt
    [exit status: 1]
    $ cargo ab report --events nowhere.log
    error: cannot open the request log nowhere.log: No such file or directory (os error 2)
    [exit status: 1]
    ");
}

#[test]
fn numbers_as_data_and_as_a_page() {
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    let json: Value = serde_json::from_slice(sandbox.ab("report --format json").ok().bytes()).unwrap();
    assert_eq!((&json["app"], &json["stores"][1]), (&"test".into(), &"case-b".into()));
    assert_eq!((&json["variants"][0]["n"], &json["variants"][0]["stale"]), (&240.into(), &5.into()));
    assert_eq!(json["decision"]["winner"], "two");

    let text = sandbox.ab("report --format csv").ok().output_text();
    assert!(text.contains("\none,accuracy,0.5,0.41"), "{text}");
    let lines: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
    assert!(lines.len() > 20 && lines.iter().all(|fields| *fields == 6), "{text}");

    sandbox.ab("report --format html --output page.html").ok();
    let page = sandbox.read("page.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for part in ["src=\"", "href=\"", "https://", "url(", "@import", "unsafe"] {
        assert!(!page.contains(part), "{part}");
    }
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!((&data["variants"], &data["presentation"]), (&json["variants"], &json["presentation"]));
    assert_eq!(data["model_note"], "");

    // Nothing of the real model counts for the offline one, and the page says which it is.
    sandbox.write("spin.toml", APP.replace("llama2-chat", "offline-model"));
    let run = sandbox.ab("report --format json").ok();
    let offline: Value = serde_json::from_slice(run.bytes()).unwrap();
    let count = |report: &Value, name: &str| report["variants"][0][name].as_u64().unwrap();
    let all = count(&json, "n") + count(&json, "stale");
    assert_eq!((count(&offline, "n"), count(&offline, "stale")), (0, all));
    assert_eq!(offline["model_note"], api::settings::OFFLINE_MODEL_NOTE);
}

/// The same page as the app serves, without the app.
#[tokio::test]
async fn the_page_opens_from_disk() {
    let Some(browser) = Browser::start().await else { return };
    let sandbox = app(None);
    for (fill, heading, charts) in [(false, "No observations yet", 0), (true, "two is better", 3)] {
        if fill {
            fill_sqlite(&sandbox);
        }
        sandbox.ab("report --format html --output page.html").ok();
        for scheme in ["light", "dark"] {
            browser.colour_scheme(scheme).await;
            browser.open(&format!("file://{}", sandbox.path("page.html").display())).await;
            browser.until("document.querySelector('#report')?.checkVisibility()").await;
            assert_eq!(browser.text("#conclusion-title").await, heading);
            assert_eq!(browser.text("#facts").await, "App test, model llama2-chat");
            let shown =
                "[...document.querySelectorAll('svg.chart')].filter((it) => it.checkVisibility()).length";
            assert_eq!(browser.run(&format!("return {shown};"), &[]).await, charts);
            let links = "document.querySelectorAll('[href], [src]').length";
            assert_eq!(browser.run(&format!("return {links};"), &[]).await, 0, "nothing leads to an app");
            assert_eq!(axe::violations(&browser).await, [""; 0]);
            browser.assert_clean("file://").await;
        }
    }
    assert!(browser.text("results-conclusion").await.contains("cargo ab promote two"));
}

/// What is counted in a variant's store: of which prompts, and how much.
pub(crate) fn counted(sandbox: &Sandbox, store: &str, label: &str) -> (Vec<Source>, BTreeMap<String, i64>) {
    let rows = app_reads(&sandbox.store(store), label);
    let index = rows.iter().find(|(key, _)| key == INDEX_KEY).map(|(_, value)| Source::list(value));
    let tallies = rows.iter().filter(|(key, _)| tally::is_counter(key));
    let tallies = tallies.filter_map(|(key, value)| Some((key.clone(), counter::read(value)?)));
    (index.unwrap_or_default(), tallies.collect())
}

/// The sum of those counters whose keys contain this.
pub(crate) fn sum(tallies: &BTreeMap<String, i64>, part: &str) -> i64 {
    tallies.iter().filter(|(key, _)| key.contains(part)).map(|(_, count)| count).sum()
}

#[test]
fn a_recount_makes_tallies_exact() {
    let sandbox = app(None);
    assert_snapshot!(sandbox.session(&["recount"]), @r"
    $ cargo ab recount
    Counted 0 observations
    ");
    assert_eq!(app_reads(&sandbox.store("case-a"), "one").len(), 1, "the prompt alone");
    fill_sqlite(&sandbox);
    let insert = |store: &str, label: &str, key: &str, value: &[u8]| {
        let connection = Connection::open(sandbox.store(store)).unwrap();
        connection.execute("INSERT INTO spin_key_value VALUES (?1, ?2, ?3)", (label, key, value)).unwrap();
    };
    // A sentence that has become a reserved key is never asked for any more; it counts nowhere, and stays.
    let (_, record) = records(PROMPTS[0].2, 1, right).remove(0);
    insert("case-a", "one", "tally: two to one", &record);
    // An older version counted there.
    let journal = app_reads(&sandbox.store("journal"), "journal");
    insert("journal", "journal", "tally:0123456789ab:0123456789ab:n", &7_i64.to_le_bytes());
    insert("journal", "journal", INDEX_KEY, b"[]");
    assert_snapshot!(sandbox.session(&["recount"]), @r"
    $ cargo ab recount
    Counted 495 observations
    ");
    assert_eq!(app_reads(&sandbox.store("journal"), "journal"), journal);
    let (sources, first) = counted(&sandbox, "case-a", "one");
    assert_eq!(sources.len(), 2, "the prompt, and an older one: {sources:?}");
    let (sources, second) = counted(&sandbox, "case-b", "two");
    assert_eq!(sources.len(), 1);
    for (part, counts) in [
        (":answer:", (245, 250)),
        (":answer:unsure", (120, 0)),
        (":latency:", (245, 250)),
        (":vote:", (147, 150)),
        ("tokens:prompt", (245 * 90, 250 * 90)),
    ] {
        assert_eq!((sum(&first, part), sum(&second, part)), counts, "{part}");
    }

    // Wrong ones are put right, and those of nothing go.
    let connection = Connection::open(sandbox.store("case-a")).unwrap();
    let update = "UPDATE spin_key_value SET value = ?1 WHERE key LIKE 'tally:%:answer:%'";
    connection.execute(update, (7_i64.to_le_bytes(),)).unwrap();
    insert("case-a", "one", "tally:0123456789ab:0123456789ab:n", &7_i64.to_le_bytes());
    sandbox.ab("recount").ok();
    assert_eq!(counted(&sandbox, "case-a", "one").1, first);
    let kept = app_reads(&sandbox.store("case-a"), "one");
    assert!(kept.iter().any(|(key, value)| key == "tally: two to one" && *value == record));
}

#[test]
fn a_recount_in_redis_is_one_that_redis_can_add_to() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = app(Some(&redis));
    let mut store = redis::Client::open(redis.url(1)).unwrap().get_connection().unwrap();
    for (key, value) in records(PROMPTS[0].2, 10, right) {
        let () = store.set(key, value).unwrap();
    }
    sandbox.ab("recount").ok();
    let keys: Vec<String> = store.keys("tally:*:answer:positive").unwrap();
    assert_eq!(store.incr::<_, _, u64>(&keys[0], 1).unwrap(), 5);
}

/// All of them at once: exported from a file, imported into Redis and back, renamed, and linked again.
#[test]
fn stores_move_to_redis_and_back() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    sandbox.ab("recount").ok();
    let links = [("one", "case-a"), ("two", "case-b"), ("journal", "journal")];
    let before = links.map(|(label, store)| app_reads(&sandbox.store(store), label));
    let report = || {
        let json = sandbox.ab("report --format json").ok();
        let mut report: Value = serde_json::from_slice(json.bytes()).unwrap();
        let shown = report.as_object_mut().unwrap();
        // Both name the stores.
        shown.remove("stores");
        shown["presentation"].as_object_mut().unwrap().remove("variants");
        report
    };
    let reported = report();
    for (database, (label, store)) in (7..).zip(links) {
        let exported = sandbox.ab(&format!("kv export --store {store}")).ok();
        sandbox.ab(&format!("kv create {label}-remote --redis {}", redis.url(database))).ok();
        sandbox.ab_with_input(&format!("kv import --store {label}-remote"), exported.bytes()).ok();
        sandbox.ab(&format!("link key-value {label} --store {label}-remote --yes")).ok();
    }
    assert_eq!(report(), reported);
    // The counters are such as Redis can add to.
    for (database, rows) in (7..).zip(&before) {
        let mut connection = redis::Client::open(redis.url(database)).unwrap().get_connection().unwrap();
        let counters: Vec<_> = rows.iter().filter(|(key, _)| conversion::is_counter_key(key)).collect();
        assert!(counters.len() > 2, "{counters:?}");
        for (key, value) in counters {
            assert_eq!(connection.incr::<_, _, i64>(key, 1).unwrap(), counter::read(value).unwrap() + 1);
            let () = connection.decr(key, 1).unwrap();
        }
    }
    for (label, _) in links {
        let exported = sandbox.ab(&format!("kv export --label {label}")).ok();
        sandbox.ab(&format!("kv create {label}-back")).ok();
        sandbox.ab_with_input(&format!("kv import --store {label}-back"), exported.bytes()).ok();
        sandbox.ab(&format!("kv rename {label}-back {label}-again")).ok();
        sandbox.ab(&format!("link key-value {label} --store {label}-again --yes")).ok();
    }
    assert_eq!(report(), reported);
    let after = links.map(|(label, _)| app_reads(&sandbox.store(&format!("{label}-again")), label));
    assert!(after == before, "what was exported last is not what was there first");
}

/// Sentences that one prompt alone has answered are put to the other one, and those on which they differ wait for somebody to annotate
/// them.
#[test]
fn what_one_prompt_has_not_answered_is_asked_later() {
    let (sandbox, model) = (app(None), ModelServer::start().unwrap());
    model.answer_with("positive").answer_sentence("Sentence 3", Reply::Status(400));
    sandbox.write(
        "spin.toml",
        APP.replace(
            "[component.api]",
            &format!("model_server = {{ default = \"{}\" }}\n[component.api]", model.url()),
        ),
    );
    let connection = Connection::open(sandbox.store("case-a")).unwrap();
    for (key, value) in records(PROMPTS[0].2, 6, right) {
        let insert = "INSERT INTO spin_key_value VALUES ('one', ?1, ?2)";
        connection.execute(insert, (key, value)).unwrap();
    }
    drop(connection);
    sandbox.ab("recount").ok();
    assert_snapshot!(sandbox.session(&["backfill --dry-run", "backfill --limit 2 --dry-run"]), @r"
    $ cargo ab backfill --dry-run
    6 questions for 6 sentences would be asked
    $ cargo ab backfill --limit 2 --dry-run
    2 questions for 2 sentences would be asked
    ");
    assert!(model.requests().is_empty());
    let run = sandbox.ab("backfill").seen();
    assert!(
        run.contains("5 questions answered") && run.contains("error: 1 question was not answered"),
        "{run}"
    );
    model.answer_sentence("Sentence 3", "negative");
    let asked = model.requests().len();
    sandbox.ab("backfill").ok();
    assert_eq!(model.requests().len(), asked + 1, "what was answered is not asked again");
    let mut answered = app_reads(&sandbox.store("case-b"), "two");
    answered.retain(|(key, _)| !key.starts_with(PREFIX));
    assert_eq!(answered.len(), 6 + 1);

    let round = Round::new(PROMPTS.map(|(_, _, prompt)| Fingerprint::of(prompt)), "llama2-chat");
    let rows = app_reads(&sandbox.store("journal"), "journal");
    let drawn = |stratum| {
        let key = round.counter_key(stratum);
        rows.iter().find(|(name, _)| *name == key).and_then(|(_, value)| counter::read(value))
    };
    // Sentences 0 and 3 are positive by the first prompt; the second says negative to the latter.
    assert_eq!((drawn(Stratum::Agree), drawn(Stratum::Differ)), (Some(1), Some(5)));
    for (store, label, _) in PROMPTS {
        assert_eq!(sum(&counted(&sandbox, store, label).1, ":answer:"), 6, "{store}");
    }
    assert_snapshot!(sandbox.session(&["backfill"]), @r"
    $ cargo ab backfill
    0 questions for 0 sentences
    ");
}

#[test]
fn what_cannot_be_reported() {
    let sandbox = app(None);
    sandbox.ab("unlink key-value two").ok();
    let unlinked = sandbox.ab("report").seen();
    sandbox.write("spin.toml", APP.replace("one=3,two", "one=x"));
    let weights = sandbox.ab("report").seen();
    sandbox.write("spin.toml", APP.replace("model = { default = \"llama2-chat\" }", ""));
    assert_snapshot!([unlinked, weights, sandbox.ab("report").seen()].concat(), @r#"
    error: No key value store found with label "two" for app "test"
    hint: link one: `cargo ab link key-value two --app test --store STORE`
    [exit status: 1]
    error: app "test" has a variable "variants" that cannot be used: the weight in `one=x` is not a whole number from 1 to 4294967295; leave the weight out for 1, and the label out for no requests
    hint: write labels with optional weights: promptstore1=90,promptstore2=10
    [exit status: 1]
    error: app "test" has no variable "model" that names its model
    hint: name it with --model
    [exit status: 1]
    "#);
}

#[test]
fn promotion_and_the_way_back() {
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    assert_snapshot!(
        sandbox.session(&[
            "promote three",
            "promote one",
            "promote two",
            "kv list",
            "kv get --label one prompt",
            "promote two",
            "link key-value one --app test --store case-a --yes",
            "kv delete case-b-one --yes",
            "kv list",
        ]),
        @r#"
        $ cargo ab promote three
        error: "three" is not a variant in the experiment of app "test"
        hint: its variants: one, two
        [exit status: 1]
        $ cargo ab promote one
        error: "one" is not known to be better. two is better. Of 72 annotated sentences on which the two differ, two alone is right on 60 and one alone on 0: evidence above a million, where 20 is enough. So far there are 490 observations, 294 votes and 72 annotated differences.
        hint: nothing was changed; --yes promotes it anyway
        [exit status: 1]
        $ cargo ab promote two
        two is better. Of 72 annotated sentences on which the two differ, two alone is right on 60 and one alone on 0: evidence above a million, where 20 is enough. So far there are 490 observations, 294 votes and 72 annotated differences.
        Key value store "case-b-one" created
        Key value store "case-b-one" is now linked to app "test" with the label "one"

        Every label of app "test" now answers with the prompt of "two". To go back:
          cargo ab link key-value one --app test --store case-a --yes
          cargo ab kv delete case-b-one --yes
        On Spin, restart the app for this to take effect. To serve one label only from the next start on, set the variable "variants" to it.
        $ cargo ab kv list
        +----------------------------------+
        | App    Label     Key Value Store |
        +==================================+
        | test   journal   journal         |
        | test   one       case-b-one      |
        | test   two       case-b          |
        +----------------------------------+
        Key value stores not linked to any app
        +-----------------+
        | Key Value Store |
        +=================+
        | case-a          |
        +-----------------+
        $ cargo ab kv get --label one prompt
        B: {SENTENCE}
        $ cargo ab promote two
        Every label of app "test" already answers with the prompt of "two"
        $ cargo ab link key-value one --app test --store case-a --yes
        Key value store "case-a" is now linked to app "test" with the label "one"
        $ cargo ab kv delete case-b-one --yes
        Key value store "case-b-one" deleted
        $ cargo ab kv list
        +----------------------------------+
        | App    Label     Key Value Store |
        +==================================+
        | test   journal   journal         |
        | test   one       case-a          |
        | test   two       case-b          |
        +----------------------------------+
        "#
    );
    assert_eq!(app_reads(&sandbox.store("case-a"), "one").len(), 240 + 5 + 2, "nothing was lost");
}

#[test]
fn variables_come_from_the_file_of_the_environment_as_in_the_app() {
    let sandbox = app(None);
    let observed = |sandbox: &Sandbox| {
        let run = sandbox.ab("report --format json").ok();
        let report: Value = serde_json::from_slice(run.bytes()).unwrap();
        report["variants"][0]["n"].as_u64().unwrap()
    };
    fill_sqlite(&sandbox);
    assert!(observed(&sandbox) > 0);
    sandbox.write(".env", "SPIN_VARIABLE_MODEL=another\nSPIN_VARIABLE_VARIANTS=one\n");
    assert_eq!(observed(&sandbox), 0, "the records are those of another model");
    assert_snapshot!(sandbox.session(&["promote two"]), @r#"
    $ cargo ab promote two
    error: "two" is not a variant in the experiment of app "test"
    hint: its variants: one
    [exit status: 1]
    "#);
}

#[test]
fn a_promotion_that_was_killed_half_way_is_completed() {
    let sandbox = app(None);
    sandbox.run(&["kv", "create", "case-b-one"]).ok();
    sandbox.run(&["kv", "set", "--store", "case-b-one", "prompt=B: {SENTENCE}"]).ok();
    sandbox.ab("promote two --yes").ok();
    assert!(sandbox.read("runtime-config.toml").contains("stores/case-b-one.db"));
    // A store of that name with something else in it is left alone.
    sandbox.ab("link key-value one --store case-a --yes").ok();
    sandbox.run(&["kv", "set", "--store", "case-b-one", "prompt=mine: {SENTENCE}"]).ok();
    sandbox.ab("promote two --yes").ok();
    assert!(sandbox.read("runtime-config.toml").contains("stores/case-b-one-2.db"));
}

#[test]
fn on_redis_all_labels_mean_one_database() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = app(Some(&redis));
    assert_snapshot!(sandbox.session(&["promote two --yes", "kv list"]), @r#"
    $ cargo ab promote two --yes
    warning: "two" is not known to be better. No observations yet. Each answer from the model becomes an observation of the prompt that was used.
    hint: `cargo ab report` shows the numbers
    Key value store "case-b" is now linked to app "test" with the label "one"

    Every label of app "test" now answers with the prompt of "two". To go back:
      cargo ab link key-value one --app test --store case-a --yes
    On Spin, restart the app for this to take effect. To serve one label only from the next start on, set the variable "variants" to it.
    $ cargo ab kv list
    +----------------------------------+
    | App    Label     Key Value Store |
    +==================================+
    | test   journal   journal         |
    | test   one       case-b          |
    | test   two       case-b          |
    +----------------------------------+
    Key value stores not linked to any app
    +-----------------+
    | Key Value Store |
    +=================+
    | case-a          |
    +-----------------+
    "#);
}

//! `kv prune`.

use std::time::{Duration, SystemTime};

use experiment::{Fingerprint, Key, Record};
use insta::assert_snapshot;
use redis::Commands as _;
use rusqlite::Connection;
use sentiment::Outcome::Positive;

use crate::report::{PROMPTS, app, counted, fill_sqlite, records, right, sum};
use crate::sandbox::app_reads;
use e2e::redis_server::RedisServer;

/// A record of the second variant's prompt, so many days old.
fn of_age(sentence: &str, model: &str, days: u64) -> Vec<u8> {
    let at = SystemTime::now() - Duration::from_hours(24 * days);
    let key = Key::for_sentence(sentence);
    let record = Record::new(&key, Positive, Fingerprint::of(PROMPTS[1].2), model);
    record.timed(at, Duration::from_millis(20)).to_json().unwrap()
}

#[test]
fn records_of_old_prompts_and_models_go() {
    let sandbox = app(None);
    fill_sqlite(&sandbox);
    sandbox.ab("recount").ok();
    let before = app_reads(&sandbox.store("case-a"), "one");
    assert_snapshot!(
        sandbox.session(&["kv prune --store case-a --dry-run", "kv prune --store case-a"]),
        @r#"
    $ cargo ab kv prune --store case-a --dry-run
    5 of 245 observations in "case-a" would be removed: 5 of other prompts or models, 0 older
    $ cargo ab kv prune --store case-a
    error: removing 5 of 245 observations from "case-a" cannot be undone
    hint: pass --yes to remove them without being asked; nothing was changed
    [exit status: 1]
    "#
    );
    assert!(app_reads(&sandbox.store("case-a"), "one") == before);
    assert_snapshot!(
        sandbox.session(&["kv prune --label one --yes", "kv prune --label one", "kv prune --store journal"]),
        @r#"
    $ cargo ab kv prune --label one --yes
    5 of 245 observations removed from "case-a": 5 of other prompts or models, 0 older
    $ cargo ab kv prune --label one
    0 of 240 observations removed from "case-a": 0 of other prompts or models, 0 older
    $ cargo ab kv prune --store journal
    0 of 0 observations removed from "journal": 0 of other prompts or models, 0 older
    "#
    );
    let mut left = app_reads(&sandbox.store("case-a"), "one");
    left.retain(|(key, _)| !key.starts_with("tally:"));
    let mut expected = before;
    expected.retain(|(key, _)| !key.starts_with("tally:") && !key.starts_with("old "));
    assert!(left == expected, "the prompt and what is no record stay");
    let (sources, tallies) = counted(&sandbox, "case-a", "one");
    assert_eq!((sources.len(), sum(&tallies, ":answer:"), sum(&tallies, ":vote:")), (1, 240, 144));
    assert!(!sandbox.ab("report").ok().messages().contains("another prompt or model"));
}

#[test]
fn records_that_are_too_old_go() {
    let sandbox = app(None);
    let connection = Connection::open(sandbox.store("case-b")).unwrap();
    let entries = [
        ("now", "llama2-chat", 0),
        ("month", "llama2-chat", 30),
        ("year", "llama2-chat", 365),
        ("other", "m", 1),
    ];
    for (sentence, model, days) in entries {
        let row = ("two", sentence, of_age(sentence, model, days));
        connection.execute("INSERT INTO spin_key_value VALUES (?1, ?2, ?3)", row).unwrap();
    }
    // A record without a time is of no age.
    let (key, value) = records(PROMPTS[1].2, 1, right).remove(0);
    connection.execute("INSERT INTO spin_key_value VALUES ('two', ?1, ?2)", (key, value)).unwrap();
    drop(connection);
    assert_snapshot!(
        sandbox.session(&[
            "kv prune --label two --older-than 90d --dry-run",
            "kv prune --label two --older-than 48h --yes",
            "kv prune --label two --older-than soon",
        ]),
        @r#"
    $ cargo ab kv prune --label two --older-than 90d --dry-run
    2 of 5 observations in "case-b" would be removed: 1 of other prompts or models, 1 older
    $ cargo ab kv prune --label two --older-than 48h --yes
    3 of 5 observations removed from "case-b": 1 of other prompts or models, 2 older
    $ cargo ab kv prune --label two --older-than soon
    error: invalid value 'soon' for '--older-than <AGE>': expected number at 0

    For more information, try '--help'.
    [exit status: 2]
    "#
    );
    let mut left: Vec<String> =
        app_reads(&sandbox.store("case-b"), "two").into_iter().map(|(key, _)| key).collect();
    left.retain(|key| !key.starts_with("tally:"));
    assert_eq!(left, ["Sentence 0", "now", "prompt"]);
    assert_eq!(sum(&counted(&sandbox, "case-b", "two").1, ":answer:"), 2);
}

#[test]
fn in_redis_too() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = app(Some(&redis));
    let mut store = redis::Client::open(redis.url(1)).unwrap().get_connection().unwrap();
    let old = records("an older prompt", 1_200, right).into_iter();
    for (key, value) in records(PROMPTS[0].2, 10, right).into_iter().chain(old.skip(10)) {
        let () = store.set(key, value).unwrap();
    }
    sandbox.ab("recount").ok();
    let run = sandbox.ab("kv prune --store case-a --yes").ok();
    assert!(run.messages().contains("1,190 of 1,200 observations removed"), "{}", run.seen());
    let keys: Vec<String> = store.keys("tally:*:answer:positive").unwrap();
    assert_eq!((keys.len(), store.incr::<_, _, u64>(&keys[0], 1).unwrap()), (1, 5));
    let kept: Vec<String> = store.keys("Sentence *").unwrap();
    assert_eq!(kept.len(), 10);
}

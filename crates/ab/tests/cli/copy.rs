//! Moving a store up to Redis and back: whole, verified, and nothing lost on the way.

use e2e::redis_server::RedisServer;
use insta::assert_snapshot;
use rusqlite::Connection;

use crate::sandbox::{Run, Sandbox, app_reads, rows};

/// More entries than are copied at once, among them a counter as `SQLite` stores keep it, and a text that looks like one.
const ENTRIES: usize = 2500;

const COUNTER: &str = "drawn:0123456789abcdef:differ";

/// An app whose store "case-a", linked as `one`, is full.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new(&["one", "two"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("link key-value one -s case-a").ok();
    let file = Connection::open(sandbox.store("case-a")).unwrap();
    let mut insert = file.prepare("INSERT INTO spin_key_value VALUES ('one', ?1, ?2)").unwrap();
    file.execute_batch("BEGIN").unwrap();
    for number in 3..ENTRIES {
        let value: Vec<u8> = (0..=255).cycle().skip(number).take(number % 300).collect();
        insert.execute((format!("sentence\n{number} é"), value)).unwrap();
    }
    insert.execute(("", &b"the empty key"[..])).unwrap();
    insert.execute((COUNTER, &258_i64.to_le_bytes()[..])).unwrap();
    insert.execute(("12345678", &b"12345678"[..])).unwrap();
    file.execute_batch("COMMIT").unwrap();
    drop(insert);
    sandbox
}

/// The digests and counts of both sides.
fn digests(run: &Run) -> Vec<String> {
    let (output, mut seen) = (run.output_text(), Vec::new());
    for line in output.lines() {
        let mut words = line.split_whitespace();
        seen.push(format!("{} {}", words.next().unwrap(), words.next().unwrap()));
    }
    assert_eq!(seen.len(), 2, "{output}");
    seen
}

fn value_in_redis(redis: &RedisServer, database: u8, key: &str) -> Option<Vec<u8>> {
    let client = redis::Client::open(redis.url(database)).unwrap();
    redis::cmd("GET").arg(key).query(&mut client.get_connection().unwrap()).unwrap()
}

#[test]
fn from_file_to_file() {
    let sandbox = filled();
    let copied = sandbox.ab("kv copy case-a case-c").ok();
    assert_snapshot!(copied.messages(), @r#"
    Key value store "case-c" created
    2,500 entries copied from "case-a" to "case-c"
    "#);
    let seen = digests(&copied);
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].ends_with(" 2500"), "{seen:?}");
    let one = app_reads(&sandbox.store("case-a"), "one");
    assert_eq!(app_reads(&sandbox.store("case-c"), "case-c"), one);
    // The app sees it under the label it gives it.
    sandbox.ab("link key-value two -s case-c").ok();
    assert_eq!(app_reads(&sandbox.store("case-c"), "two"), one);
    // To a path, from one whose rows carry a label.
    let again = sandbox.run(&["kv", "copy", ".spin/stores/case-c.db", "elsewhere/copy.db"]).ok();
    assert_eq!(digests(&again), seen);
    assert_eq!(app_reads(&sandbox.path("elsewhere/copy.db"), "copy"), one);
}

#[test]
fn to_redis_and_back() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = filled();
    let up = sandbox.run(&["kv", "copy", "case-a", &redis.url(0)]).ok();
    assert_eq!(value_in_redis(&redis, 0, COUNTER).unwrap(), b"258");
    assert_eq!(value_in_redis(&redis, 0, "12345678").unwrap(), b"12345678");
    sandbox.run(&["kv", "copy", &redis.url(0), &redis.url(1)]).ok();
    let down = sandbox.run(&["kv", "copy", &redis.url(1), "back"]).ok();
    let seen = [digests(&up), digests(&down)].concat();
    assert!(seen.iter().all(|digest| *digest == seen[0]), "{seen:?}");
    assert_eq!(
        app_reads(&sandbox.store("back"), "back"),
        app_reads(&sandbox.store("case-a"), "one"),
        "counters are numbers of SQLite again"
    );
}

#[test]
fn killed_and_run_again() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = filled();
    let count = || -> usize {
        let client = redis::Client::open(redis.url(0)).unwrap();
        redis::cmd("DBSIZE").query(&mut client.get_connection().unwrap()).unwrap()
    };
    let copy = ["kv", "copy", "case-a", &redis.url(0)];
    let killed = sandbox.command(&copy).env("AB_CRASH_AT", "copy:page").output().unwrap();
    assert!(!killed.status.success());
    assert_eq!(count(), 1000);
    let seen = digests(&sandbox.run(&copy).ok());
    assert_eq!(seen[0], seen[1]);
    assert_eq!(count(), ENTRIES);

    let back = ["kv", "copy", &redis.url(0), "back"];
    let killed = sandbox.command(&back).env("AB_CRASH_AT", "copy:page").output().unwrap();
    assert!(!killed.status.success());
    let left = rows(&sandbox.store("back")).len();
    assert!((1..ENTRIES).contains(&left), "{left}");
    assert_eq!(digests(&sandbox.run(&back).ok()), seen);
    assert!(sandbox.run(&back).ok().messages().starts_with("0 entries copied"), "nothing is left to do");
}

#[test]
fn a_target_with_other_entries_is_refused() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv create case-b").ok();
    sandbox.ab("kv set -s case-a prompt=one same=same").ok();
    sandbox.ab("kv set -s case-b prompt=two same=same other=x").ok();
    let before = rows(&sandbox.store("case-b"));
    let messages = |line: &str| sandbox.ab(line).messages();
    assert_snapshot!(messages("kv copy case-a case-b"), @r#"
    error: "case-b" already holds 1 entry with another value, and 1 that "case-a" does not have; nothing was copied
    hint: --overwrite replaces values that differ and leaves the rest; `cargo ab kv export --store case-b` saves a copy first
    "#);
    assert_eq!(rows(&sandbox.store("case-b")), before);
    assert_snapshot!(messages("kv copy case-a case-b --overwrite"), @r#"
    1 entry copied from "case-a" to "case-b"; 1 already there
    "case-b" holds 1 entry of its own as well
    "#);
    let left: Vec<String> = rows(&sandbox.store("case-b"))
        .into_iter()
        .map(|(_, key, value)| format!("{key}={}", String::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(left, ["other=x", "prompt=one", "same=same"]);
    assert_snapshot!(messages("kv copy case-a case-a"), @r#"
    error: "case-a" and "case-a" are the same store
    "#);
    assert_snapshot!(messages("kv copy nothing case-b"), @r#"
    error: No key value store found with name "nothing"
    hint: `cargo ab kv create nothing` creates it; `cargo ab kv list` lists the stores
    "#);
}

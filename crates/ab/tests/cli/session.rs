//! The article's session with key value stores, command by command.

use insta::{allow_duplicates, assert_snapshot};

use crate::sandbox::{APP, Sandbox, app_reads};
use e2e::redis_server::RedisServer;

const CASE_A: &str = include_str!("../../../../prompts/case-a.txt");
const CASE_B: &str = include_str!("../../../../prompts/case-b.txt");

#[test]
fn on_sqlite() {
    let sandbox = Sandbox::new(&["promptstore"]);
    assert_snapshot!(sandbox.session(&["kv create case-a", "kv create case-b", "kv list"]), @r#"
    $ cargo ab kv create case-a
    Key value store "case-a" created
    $ cargo ab kv create case-b
    Key value store "case-b" created
    $ cargo ab kv list
    Key value stores not linked to any app
    +-----------------+
    | Key Value Store |
    +=================+
    | case-a          |
    |-----------------|
    | case-b          |
    +-----------------+
    "#);
    link_and_relink(&sandbox);

    let rows = |name, label| app_reads(&sandbox.store(name), label);
    assert_eq!(rows("case-a", "promptstore"), [("prompt".to_owned(), CASE_A.as_bytes().to_vec())]);
    assert_eq!(rows("case-b", "promptstore"), [("prompt".to_owned(), CASE_B.as_bytes().to_vec())]);
    two_labels(&sandbox);
    assert_eq!(rows("case-a", "promptstore1"), [("prompt".to_owned(), CASE_A.as_bytes().to_vec())]);
    assert_eq!(rows("case-b", "promptstore2"), [("prompt".to_owned(), CASE_B.as_bytes().to_vec())]);
}

#[test]
fn on_redis() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let mut sandbox = Sandbox::new(&["promptstore"]);
    sandbox.redact(redis.port.to_string(), "[PORT]");
    sandbox.ab(&format!("kv create case-a --redis {}", redis.url(1))).ok();
    sandbox.ab(&format!("kv create case-b --redis {}", redis.url(2))).ok();
    link_and_relink(&sandbox);
    assert!(sandbox.read("runtime-config.toml").contains(&format!("url = \"{}\"", redis.url(2))));
    two_labels(&sandbox);

    // The databases hold the plain keys, for Spin to read.
    let database = |number: u8| {
        let mut connection = redis::Client::open(redis.url(number)).unwrap().get_connection().unwrap();
        redis::cmd("GET").arg("prompt").query::<String>(&mut connection).unwrap()
    };
    assert_eq!((database(1).as_str(), database(2).as_str()), (CASE_A, CASE_B));
}

/// From two stores to the second one, by way of the first.
fn link_and_relink(sandbox: &Sandbox) {
    for (store, prompt) in [("case-a", CASE_A), ("case-b", CASE_B)] {
        let set = sandbox.run(&["kv", "set", "--store", store, &format!("prompt={prompt}")]);
        assert_eq!(set.ok().seen(), "");
    }
    allow_duplicates! {
        assert_snapshot!(
            sandbox.session(&[
                &format!("link key-value --app {APP} --store case-a promptstore"),
                "kv list",
                &format!("unlink key-value -a {APP} promptstore"),
                &format!("link key-value --app {APP} --store case-b promptstore"),
                "kv list",
            ]),
            @r#"
            $ cargo ab link key-value --app sentiment-analysis-ab-test --store case-a promptstore
            Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "promptstore"
            $ cargo ab kv list
            +------------------------------------------------------------+
            | App                          Label         Key Value Store |
            +============================================================+
            | sentiment-analysis-ab-test   promptstore   case-a          |
            +------------------------------------------------------------+
            Key value stores not linked to any app
            +-----------------+
            | Key Value Store |
            +=================+
            | case-b          |
            +-----------------+
            $ cargo ab unlink key-value -a sentiment-analysis-ab-test promptstore
            Key value store 'case-a' no longer linked to app sentiment-analysis-ab-test
            $ cargo ab link key-value --app sentiment-analysis-ab-test --store case-b promptstore
            Key value store "case-b" is now linked to app "sentiment-analysis-ab-test" with the label "promptstore"
            $ cargo ab kv list
            +------------------------------------------------------------+
            | App                          Label         Key Value Store |
            +============================================================+
            | sentiment-analysis-ab-test   promptstore   case-b          |
            +------------------------------------------------------------+
            Key value stores not linked to any app
            +-----------------+
            | Key Value Store |
            +=================+
            | case-a          |
            +-----------------+
            "#
        );
    }
    assert_eq!(
        sandbox.ab(&format!("kv get --label promptstore --app {APP} prompt")).ok().bytes(),
        CASE_B.as_bytes()
    );
    assert_eq!(sandbox.ab("kv get --store case-a prompt").ok().bytes(), CASE_A.as_bytes());
}

/// Both stores at once.
fn two_labels(sandbox: &Sandbox) {
    sandbox.app(".", APP, &["promptstore1", "promptstore2"]);
    allow_duplicates! {
        assert_snapshot!(
            sandbox.session(&[
                "unlink key-value promptstore",
                "link key-value promptstore1 -s case-a",
                "link key-value promptstore2 -s case-b",
                "kv list",
                "kv list --group-by store",
                "kv list --store case-a --format json",
            ]),
            @r#"
            $ cargo ab unlink key-value promptstore
            Key value store 'case-b' no longer linked to app sentiment-analysis-ab-test
            $ cargo ab link key-value promptstore1 -s case-a
            Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "promptstore1"
            $ cargo ab link key-value promptstore2 -s case-b
            Key value store "case-b" is now linked to app "sentiment-analysis-ab-test" with the label "promptstore2"
            $ cargo ab kv list
            +-------------------------------------------------------------+
            | App                          Label          Key Value Store |
            +=============================================================+
            | sentiment-analysis-ab-test   promptstore1   case-a          |
            | sentiment-analysis-ab-test   promptstore2   case-b          |
            +-------------------------------------------------------------+
            $ cargo ab kv list --group-by store
            +-----------------------------------------------------------+
            | Key Value Store   Links                                   |
            +===========================================================+
            | case-a            sentiment-analysis-ab-test:promptstore1 |
            | case-b            sentiment-analysis-ab-test:promptstore2 |
            +-----------------------------------------------------------+
            $ cargo ab kv list --store case-a --format json
            [
              {
                "key_value_store": "case-a",
                "links": [
                  {
                    "label": "promptstore1",
                    "app": "sentiment-analysis-ab-test"
                  }
                ]
              }
            ]
            "#
        );
    }
}

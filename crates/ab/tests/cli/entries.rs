//! What is in the stores: any value, nothing lost.

use std::process::Child;

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::sandbox::{Sandbox, app_reads};
use e2e::redis_server::RedisServer;

/// Keys and values that break things which are not careful.
fn awkward() -> Vec<(String, Vec<u8>)> {
    let every_byte: Vec<u8> = (0..=255).collect();
    let mut entries: Vec<(String, Vec<u8>)> = [
        ("newlines", "\n<<SYS>>\r\nYou're\n\n"),
        ("quotes", "\"'`$(x)\\"),
        ("equals", "a=b==c"),
        ("nul", "a\0b"),
        ("empty", ""),
        ("json", "{\"key\": \"}\\n\"}"),
        ("Dang, this is difficult! 😀", "é"),
        ("key\nwith\u{1b}[31m control\0 characters", "x"),
        ("", "the empty key"),
    ]
    .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
    .into();
    entries.push(("bytes".to_owned(), every_byte.clone()));
    entries.push(("1 MiB".to_owned(), every_byte.into_iter().cycle().take(1 << 20).collect()));
    entries.sort();
    entries
}

#[test]
fn awkward_values_survive_set_and_get() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    for (key, value) in awkward().into_iter().filter(|(key, _)| !key.is_empty() && !key.contains('\0')) {
        sandbox.write("value", &value);
        sandbox.run(&["kv", "set", "-s", "case-a", &format!("{key}=@value")]).ok();
        assert_eq!(
            sandbox.run(&["kv", "get", "-s", "case-a", &key]).ok().bytes(),
            value,
            "{key:?}, from a file"
        );
        sandbox.ab("kv set -s case-a stdin=gone").ok();
        sandbox.ab_with_input("kv set -s case-a stdin=-", &value).ok();
        assert_eq!(sandbox.ab("kv get -s case-a stdin").ok().bytes(), value, "{key:?}, from standard input");
        if let (Ok(text), true) = (String::from_utf8(value), key != "nul") {
            sandbox.run(&["kv", "set", "-s", "case-a", "argument=gone"]).ok();
            sandbox.run(&["kv", "set", "-s", "case-a", &format!("argument={text}")]).ok();
            assert_eq!(sandbox.ab("kv get -s case-a argument").ok().output_text(), text);
        }
    }
}

#[test]
fn an_export_imports_exactly() {
    let redis = RedisServer::start(&[]);
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create source").ok();
    sandbox.ab("kv create target").ok();
    if let Some(redis) = &redis {
        sandbox.ab(&format!("kv create remote --redis {}", redis.url(0))).ok();
    }
    let file = Connection::open(sandbox.store("source")).unwrap();
    for (key, value) in awkward() {
        file.execute("INSERT INTO spin_key_value VALUES ('source', ?1, ?2)", (key, value)).unwrap();
    }
    let exported = sandbox.ab("kv export -s source").ok();
    sandbox.ab_with_input("kv import -s target", exported.bytes()).ok();
    assert_eq!(app_reads(&sandbox.store("target"), "target"), awkward());
    if redis.is_some() {
        sandbox.ab_with_input("kv import -s remote", exported.bytes()).ok();
        assert_eq!(sandbox.ab("kv export -s remote").ok().bytes(), exported.bytes());
    }
    sandbox.ab("kv export -s source dump.jsonl").ok();
    assert_eq!(sandbox.read("dump.jsonl").as_bytes(), exported.bytes());
    assert!(sandbox.ab("kv import -s target dump.jsonl").ok().messages().starts_with("11 entries imported"));
    assert_eq!(sandbox.ab("kv export -s target").ok().bytes(), exported.bytes());
}

#[test]
fn an_import_sets_all_or_nothing() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set -s case-a old=1").ok();
    let good = "{\"key\":\"a\",\"value\":\"MQ==\"}\n";
    sandbox.write("broken.jsonl", format!("{good}{{\"key\":\"b\"}}\n"));
    sandbox.write("twice.jsonl", format!("{good}\n{good}"));
    sandbox.write("binary.jsonl", b"{\"key\":\"\xff\",\"value\":\"\"}");
    sandbox.write("good.jsonl", good);
    assert_snapshot!(
        sandbox.session(&[
            "kv import -s case-a broken.jsonl",
            "kv import -s case-a twice.jsonl",
            "kv import -s case-a binary.jsonl",
            "kv import -s case-a nowhere.jsonl",
            "kv keys -s case-a",
            "kv import -s case-a good.jsonl",
            "kv keys -s case-a",
        ]),
        @r#"
        $ cargo ab kv import -s case-a broken.jsonl
        error: cannot import broken.jsonl: line 2: missing field `value`; nothing was imported
        hint: each line is an entry: {"key": "…", "value": "<base64>"}
        [exit status: 1]
        $ cargo ab kv import -s case-a twice.jsonl
        error: cannot import twice.jsonl: line 3: line 1 already has the key "a"; nothing was imported
        hint: each line is an entry: {"key": "…", "value": "<base64>"}
        [exit status: 1]
        $ cargo ab kv import -s case-a binary.jsonl
        error: cannot import binary.jsonl: line 1: invalid unicode code point; nothing was imported
        hint: each line is an entry: {"key": "…", "value": "<base64>"}
        [exit status: 1]
        $ cargo ab kv import -s case-a nowhere.jsonl
        error: cannot read nowhere.jsonl: No such file or directory (os error 2)
        [exit status: 1]
        $ cargo ab kv keys -s case-a
        old
        $ cargo ab kv import -s case-a good.jsonl
        1 entry imported into "case-a"
        $ cargo ab kv keys -s case-a
        a
        old
        "#
    );
}

#[test]
fn keys_are_listed_without_doing_harm() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let key = "red\u{1b}[31m\nnext é\\n";
    sandbox.run(&["kv", "set", "-s", "case-a", &format!("{key}=1"), "b=2"]).ok();
    assert_snapshot!(sandbox.session(&["kv keys -s case-a", "kv keys -s case-a --format json"]), @r#"
    $ cargo ab kv keys -s case-a
    b
    red\u{1b}[31m\nnext é\n
    $ cargo ab kv keys -s case-a --format json
    [
      "b",
      "red\u001b[31m\nnext é\\n"
    ]
    "#);
    let json = sandbox.ab("kv keys -s case-a --format json").ok();
    assert_eq!(serde_json::from_slice::<Vec<String>>(json.bytes()).unwrap(), ["b", key]);
}

#[test]
fn a_new_prompt_tells_how_many_observations_it_makes_stale() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.run(&["kv", "set", "-s", "case-a", "prompt=first {SENTENCE}"]).ok();
    let prompt = "first {SENTENCE}";
    let record = |answer: &str, prompt: &str| {
        format!(
            "{{\"sentiment\":\"{answer}\",\"prompt\":\"{}\",\"model\":\"m\"}}",
            experiment::Fingerprint::of(prompt)
        )
    };
    for (sentence, value) in [
        ("one", record("positive", prompt)),
        ("two", record("unsure", prompt)),
        ("old", record("neutral", "an earlier prompt")),
        ("note", "not a record".to_owned()),
    ] {
        sandbox.run(&["kv", "set", "-s", "case-a", &format!("{sentence}={value}")]).ok();
    }
    let same = sandbox.run(&["kv", "set", "-s", "case-a", "prompt=first {SENTENCE}"]).ok().messages();
    let new = sandbox.run(&["kv", "set", "-s", "case-a", "prompt=second {SENTENCE}"]).ok().messages();
    let without = sandbox.run(&["kv", "set", "-s", "case-a", "prompt=third"]).ok().messages();
    assert_snapshot!(format!("same:\n{same}\nnew:\n{new}\nwithout:\n{without}"), @r#"
    same:

    new:
    warning: 2 observations in "case-a" were made with the previous prompt and are now stale
    hint: the model will be asked about their sentences again; `cargo ab kv export --store case-a` saves a copy of them

    without:
    warning: the prompt in "case-a" has no placeholder {SENTENCE}: the app will use its default prompt
    hint: put {SENTENCE} where the sentence belongs
    "#);
}

#[test]
fn keys_are_deleted_all_or_none() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.run(&["kv", "set", "-s", "case-a", "prompt=first {SENTENCE}", "a=1", "b=2", "c=3"]).ok();
    let prompt = experiment::Fingerprint::of("first {SENTENCE}");
    let record = format!("one={{\"sentiment\":\"positive\",\"prompt\":\"{prompt}\",\"model\":\"m\"}}");
    sandbox.run(&["kv", "set", "-s", "case-a", &record]).ok();
    assert_snapshot!(
        sandbox.session(&[
            "kv unset -s case-a a nowhere b",
            "kv unset -s case-a a b a",
            "kv keys -s case-a",
            "kv unset -s case-a prompt",
            "kv unset -s case-a",
            "kv keys -s case-a",
        ]),
        @r#"
        $ cargo ab kv unset -s case-a a nowhere b
        error: No key "nowhere" in key value store "case-a"
        hint: `cargo ab kv keys --store case-a` lists the keys; nothing was deleted
        [exit status: 1]
        $ cargo ab kv unset -s case-a a b a
        $ cargo ab kv keys -s case-a
        c
        one
        prompt
        $ cargo ab kv unset -s case-a prompt
        warning: "case-a" has no prompt: the app will use its default prompt
        hint: `cargo ab kv set --store case-a prompt=@FILE` sets one
        warning: 1 observation in "case-a" was made with the previous prompt and is now stale
        hint: the model will be asked about their sentences again; `cargo ab kv export --store case-a` saves a copy of them
        $ cargo ab kv unset -s case-a
        error: the following required arguments were not provided:
          <KEY>...

        Usage: cargo ab kv unset --store <STORE> <KEY>...

        For more information, try '--help'.
        [exit status: 2]
        $ cargo ab kv keys -s case-a
        c
        one
        "#
    );
}

#[test]
fn keys_are_deleted_from_redis_too() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab(&format!("kv create remote --redis {}", redis.url(0))).ok();
    sandbox.ab("kv set -s remote a=1 b=2").ok();
    sandbox.ab("kv unset -s remote a").ok();
    assert!(!sandbox.ab("kv unset -s remote a b").succeeded());
    assert_eq!(sandbox.ab("kv keys -s remote").ok().output_text(), "b\n");
}

#[test]
fn writers_do_not_lose_each_others_entries() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("link key-value one -s case-a").ok();
    // The app, in write-ahead mode as the runtime has it.
    let mut app = Connection::open(sandbox.store("case-a")).unwrap();
    app.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    app.pragma_update(None, "journal_mode", "WAL").unwrap();
    let mut children: Vec<Child> = Vec::new();
    for round in 0..10 {
        for writer in ["a", "b"] {
            let pairs = [format!("{writer}{round}=1"), format!("{writer}{round}x=1")];
            let arguments = ["kv", "set", "-s", "case-a", &pairs[0], &pairs[1]];
            children.push(sandbox.command(&arguments).spawn().unwrap());
        }
        let transaction = app.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        transaction
            .execute("INSERT INTO spin_key_value VALUES ('one', ?1, x'31')", [format!("app{round}")])
            .unwrap();
        transaction.commit().unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(app_reads(&sandbox.store("case-a"), "one").len(), 50);
}

#[test]
fn a_pair_that_is_wrong_sets_nothing() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    assert_snapshot!(
        sandbox.session(&[
            "kv set -s case-a a=1 b",
            "kv set -s case-a a=1 =2",
            "kv set -s case-a a=1 b=@nowhere",
            "kv set -s case-a a=- b=-",
            "kv set -s case-a",
            "kv set a=1",
            "kv set -s case-a -l one a=1",
            "kv set -a some-app a=1",
            "kv keys -s case-a",
            "kv get -s case-a a",
        ]),
        @r#"
        $ cargo ab kv set -s case-a a=1 b
        error: "b" is not of the form KEY=VALUE
        hint: write KEY=VALUE, KEY=@FILE to read a file, or KEY=- to read standard input
        [exit status: 1]
        $ cargo ab kv set -s case-a a=1 =2
        error: "=2" is not of the form KEY=VALUE
        hint: write KEY=VALUE, KEY=@FILE to read a file, or KEY=- to read standard input
        [exit status: 1]
        $ cargo ab kv set -s case-a a=1 b=@nowhere
        error: cannot read nowhere, the value of "b": No such file or directory (os error 2)
        [exit status: 1]
        $ cargo ab kv set -s case-a a=- b=-
        error: only one key can take its value from standard input
        [exit status: 1]
        $ cargo ab kv set -s case-a
        error: the following required arguments were not provided:
          <KEY=VALUE>...

        Usage: cargo ab kv set --store <STORE> <KEY=VALUE>...

        For more information, try '--help'.
        [exit status: 2]
        $ cargo ab kv set a=1
        error: the following required arguments were not provided:
          --store <STORE>

        Usage: cargo ab kv set --store <STORE> <KEY=VALUE>...

        For more information, try '--help'.
        [exit status: 2]
        $ cargo ab kv set -s case-a -l one a=1
        error: the argument '--store <STORE>' cannot be used with '--label <LABEL>'

        Usage: cargo ab kv set --store <STORE> <KEY=VALUE>...

        For more information, try '--help'.
        [exit status: 2]
        $ cargo ab kv set -a some-app a=1
        error: the following required arguments were not provided:
          --label <LABEL>
          --store <STORE>

        Usage: cargo ab kv set --label <LABEL> --app <APP> --store <STORE> <KEY=VALUE>...

        For more information, try '--help'.
        [exit status: 2]
        $ cargo ab kv keys -s case-a
        $ cargo ab kv get -s case-a a
        error: No key "a" in key value store "case-a"
        [exit status: 1]
        "#
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.write("value", vec![b'x'; 1 << 20]);
    sandbox.ab("kv set -s case-a big=@value").ok();
    let mut command = sandbox.command(&["kv", "get", "-s", "case-a", "big"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

//! Links: what may be linked with what, and what becomes of the rows and the file.

use insta::assert_snapshot;

use crate::redis_server::RedisServer;
use crate::sandbox::{APP, Sandbox};

#[test]
fn what_is_refused_and_what_is_warned_of() {
    let sandbox = Sandbox::new(&["one", "two"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv create case-b").ok();
    assert_snapshot!(
        sandbox.session(&[
            "link key-value one --store nowhere",
            "link key-value one --store ./nowhere.db",
            "link key-value one --store case-a --app other-app",
            "link key-value one --store case-a",
            "link key-value one --store case-a",
            "link key-value two --store case-a",
            "link key-value one --store case-b",
            "link key-value one --store case-b --yes",
            "link key-value misspelt --store case-a",
            "unlink key-value two",
            "unlink key-value one --app other-app",
            "kv list --app other-app",
            "kv get --label two --app other-app prompt",
            "kv get --label two prompt",
            "kv list --format json --group-by app",
        ]),
        @""
    );
}

#[test]
fn the_file_keeps_its_comments_order_and_formatting() {
    let sandbox = Sandbox::new(&["one", "two"]);
    let before = "# Everything about stores.\n\n[llm_compute] # the model\ntype = \"remote_http\"\n\n\
                  # first\n[key_value_store.one]\ntype   = \"spin\"   # SQLite\npath = \".spin/stores/a.db\" # was: b\n\n\
                  # second\n[key_value_store.two]\ntype = \"redis\"\nurl = \"redis://localhost:1/1\"\n";
    sandbox.write("runtime-config.toml", before);
    sandbox.ab("kv create c").ok();
    sandbox.ab("link key-value one --store c --yes").ok();
    assert_eq!(sandbox.read("runtime-config.toml"), before.replace("a.db", "c.db"));
    sandbox.ab("unlink key-value two").ok();
    sandbox.ab("kv rename c d").ok();
    let after = before.replace("a.db", "d.db").replace("[key_value_store.two]\ntype = \"redis\"\nurl = \"redis://localhost:1/1\"\n", "");
    assert_eq!(sandbox.read("runtime-config.toml"), after);
}

#[test]
fn rows_follow_the_link() {
    let sandbox = Sandbox::new(&["one", "two"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    let path = sandbox.store("case-a");
    let reads = |label| sandbox.app_reads(&path, label);
    let rows = |value: &str| vec![("k".to_owned(), value.as_bytes().to_vec())];

    sandbox.ab("link key-value one --store case-a").ok();
    assert_eq!(reads("one"), rows("1"));
    sandbox.ab("unlink key-value one").ok();
    sandbox.ab("kv set --store case-a k=2").ok();
    assert_eq!(reads("one"), rows("2"), "an unlinked store keeps its last label");
    sandbox.ab("link key-value two --store case-a").ok();
    assert_eq!(reads("two"), rows("2"));

    // A request that began before the change writes what it has inferred.
    let late = rusqlite::Connection::open(&path).unwrap();
    late.execute("INSERT INTO spin_key_value VALUES ('one', 'late', x'33') ON CONFLICT DO NOTHING", []).unwrap();
    assert_eq!(sandbox.ab("kv get --store case-a late").ok().bytes(), b"3");
    assert!(reads("two").contains(&("late".to_owned(), b"3".to_vec())));
}

#[test]
fn a_store_shared_by_two_apps_has_one_label() {
    let sandbox = Sandbox::new(&["shared"]);
    sandbox.app("other", "other-app", &["shared", "mine"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    sandbox.ab("link key-value shared --store case-a").ok();
    assert_snapshot!(
        sandbox.session(&[
            "link key-value mine --from other --store .spin/stores/case-a.db",
            "link key-value shared --from other --store .spin/stores/case-a.db",
            "kv get --from other --label shared k",
            "unlink key-value shared",
            "link key-value mine --store case-a",
            "unlink key-value shared --from other",
            "link key-value mine --store case-a",
        ]),
        @""
    );
    assert_eq!(sandbox.ab("kv get --store case-a k").ok().bytes(), b"1");
}

#[test]
fn stores_by_path_and_by_url() {
    let Some(redis) = RedisServer::start(&["--requirepass", "s3cret"]) else { return };
    let mut sandbox = Sandbox::new(&["one", "two"]);
    sandbox.redact(redis.port.to_string(), "[PORT]");
    sandbox.write("elsewhere/store.db", "");
    let url = redis.url(3).replace("redis://", "redis://:s3cret@");
    let lines = [
        "link key-value one --store elsewhere/store.db",
        &format!("link key-value two --store {}", redis.url(3)),
        &format!("link key-value two --store {}", url.replace("s3cret", "wrong")),
        &format!("link key-value two --store {url}"),
        "kv list",
        "kv set --label two a=1 b=2",
        "kv keys --label two",
        "kv keys --label one",
    ];
    let transcript = sandbox.session(&lines).replace(&url, "[URL]").replace(":s3cret@127.0.0.1:[PORT]", "[URL]");
    assert_snapshot!(transcript.replace("s3cret", "[PASSWORD]"), @"");
}

#[test]
fn a_link_made_by_hand_can_be_repaired() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    sandbox.write("runtime-config.toml", "[key_value_store.one]\ntype = \"spin\"\npath = \".spin/stores/case-a.db\"\n");
    assert_snapshot!(
        sandbox.session(&["kv get --store case-a k", "link key-value one --store case-a", "kv get --store case-a k"]),
        @""
    );
}

#[test]
fn the_label_that_spin_links_by_itself() {
    let sandbox = Sandbox::new(&["default"]);
    assert_snapshot!(
        sandbox.session(&[
            "kv list",
            "kv set --label default k=1",
            "kv get --label default k",
            "link key-value other --store .spin/sqlite_key_value.db",
        ]),
        @""
    );
    assert_eq!(sandbox.app_reads(&sandbox.path(".spin/sqlite_key_value.db"), "default").len(), 1);
}

#[test]
fn labels_that_are_not_linked_are_explained_before_the_app_starts() {
    let sandbox = Sandbox::new(&["one", "two"]);
    assert_snapshot!(sandbox.session(&["up --no-build"]), @"");
    assert!(!sandbox.path("runtime-config.toml").exists());
    let _ = APP;
}

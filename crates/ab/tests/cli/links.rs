//! Links: what may be linked with what, and what becomes of the rows and the file.

use insta::assert_snapshot;

use crate::sandbox::{Sandbox, app_reads};
use e2e::redis_server::RedisServer;

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
        @r#"
        $ cargo ab link key-value one --store nowhere
        error: Key value store "nowhere" does not exist
        hint: `cargo ab kv create nowhere` creates it; `cargo ab kv list` lists the stores
        [exit status: 1]
        $ cargo ab link key-value one --store ./nowhere.db
        error: Key value store "./nowhere.db" does not exist
        hint: `cargo ab kv list` lists the stores; a path must lead to an existing file
        [exit status: 1]
        $ cargo ab link key-value one --store case-a --app other-app
        error: there is no app "other-app" here: the app of this folder is "sentiment-analysis-ab-test"
        hint: leave --app out, or name another app's folder with --from
        [exit status: 1]
        $ cargo ab link key-value one --store case-a
        Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "one"
        $ cargo ab link key-value one --store case-a
        error: Key value store "case-a" is already linked to app "sentiment-analysis-ab-test" with the label "one"
        [exit status: 1]
        $ cargo ab link key-value two --store case-a
        error: Key value store "case-a" is linked to app "sentiment-analysis-ab-test" with the label "one", and it can have only one label: Spin keeps the entries of an SQLite file by label
        hint: unlink it first: `cargo ab unlink key-value one --app sentiment-analysis-ab-test`
        [exit status: 1]
        $ cargo ab link key-value one --store case-b
        error: App "sentiment-analysis-ab-test"'s "one" label is currently linked to "case-a"
        hint: pass --yes to change the link; nothing was changed
        [exit status: 1]
        $ cargo ab link key-value one --store case-b --yes
        Key value store "case-b" is now linked to app "sentiment-analysis-ab-test" with the label "one"
        $ cargo ab link key-value misspelt --store case-a
        Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "misspelt"
        warning: no component of app "sentiment-analysis-ab-test" may open the label "misspelt"
        hint: add "misspelt" to a component's key_value_stores in spin.toml
        $ cargo ab unlink key-value two
        error: no key value store was linked to app 'sentiment-analysis-ab-test' with label 'two'
        hint: `cargo ab kv list` lists the links
        [exit status: 1]
        $ cargo ab unlink key-value one --app other-app
        error: there is no app "other-app" here: the app of this folder is "sentiment-analysis-ab-test"
        hint: leave --app out, or name another app's folder with --from
        [exit status: 1]
        $ cargo ab kv list --app other-app
        No key value store linked to an app named 'other-app'
        $ cargo ab kv get --label two --app other-app prompt
        error: there is no app "other-app" here: the app of this folder is "sentiment-analysis-ab-test"
        hint: leave --app out, or name another app's folder with --from
        [exit status: 1]
        $ cargo ab kv get --label two prompt
        error: No key value store found with label "two" for app "sentiment-analysis-ab-test"
        hint: link one: `cargo ab link key-value two --app sentiment-analysis-ab-test --store STORE`
        [exit status: 1]
        $ cargo ab kv list --format json --group-by app
        error: Grouping is not supported with JSON format output
        [exit status: 1]
        "#
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
    let after = before
        .replace("a.db", "d.db")
        .replace("[key_value_store.two]\ntype = \"redis\"\nurl = \"redis://localhost:1/1\"\n", "");
    assert_eq!(sandbox.read("runtime-config.toml"), after);
}

#[test]
fn rows_follow_the_link() {
    let sandbox = Sandbox::new(&["one", "two"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    let path = sandbox.store("case-a");
    let reads = |label| app_reads(&path, label);
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
    late.execute("INSERT INTO spin_key_value VALUES ('one', 'late', x'33') ON CONFLICT DO NOTHING", [])
        .unwrap();
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
        @r#"
        $ cargo ab link key-value mine --from other --store .spin/stores/case-a.db
        error: Key value store "[FOLDER]/.spin/stores/case-a.db" is linked to app "sentiment-analysis-ab-test" in [FOLDER] with the label "shared", and it can have only one label: Spin keeps the entries of an SQLite file by label
        hint: link it with the label "shared" here too, or unlink it there; nothing was changed
        [exit status: 1]
        $ cargo ab link key-value shared --from other --store .spin/stores/case-a.db
        Key value store "[FOLDER]/.spin/stores/case-a.db" is now linked to app "other-app" with the label "shared"
        $ cargo ab kv get --from other --label shared k
        1
        $ cargo ab unlink key-value shared
        Key value store 'case-a' no longer linked to app sentiment-analysis-ab-test
        $ cargo ab link key-value mine --store case-a
        error: Key value store "case-a" is linked to app "other-app" in [FOLDER]/other with the label "shared", and it can have only one label: Spin keeps the entries of an SQLite file by label
        hint: link it with the label "shared" here too, or unlink it there; nothing was changed
        [exit status: 1]
        $ cargo ab unlink key-value shared --from other
        Key value store '[FOLDER]/.spin/stores/case-a.db' no longer linked to app other-app
        $ cargo ab link key-value mine --store case-a
        Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "mine"
        warning: no component of app "sentiment-analysis-ab-test" may open the label "mine"
        hint: add "mine" to a component's key_value_stores in spin.toml
        "#
    );
    assert_eq!(sandbox.ab("kv get --store case-a k").ok().bytes(), b"1");
}

#[test]
fn of_two_apps_that_link_a_store_at_once_one_has_it() {
    let sandbox = Sandbox::new(&["shared"]);
    sandbox.app("other", "other-app", &["mine"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    let links = [
        "link key-value shared --store case-a",
        "link key-value mine --from other --store .spin/stores/case-a.db",
    ];
    let unlinks = ["unlink key-value shared", "unlink key-value mine --from other"];
    for round in 0..20 {
        let linked = std::thread::scope(|scope| {
            let linking = links.map(|link| scope.spawn(|| sandbox.ab(link).succeeded()));
            linking.map(|linked| linked.join().unwrap())
        });
        assert_eq!(linked.iter().filter(|linked| **linked).count(), 1, "round {round}: {linked:?}");
        assert_eq!(sandbox.ab("kv get --store case-a k").ok().bytes(), b"1");
        sandbox.ab(unlinks[usize::from(linked[1])]).ok();
    }
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
    assert_snapshot!(sandbox.session(&lines).replace("s3cret", "[PASSWORD]"), @r#"
    $ cargo ab link key-value one --store elsewhere/store.db
    Key value store "elsewhere/store.db" is now linked to app "sentiment-analysis-ab-test" with the label "one"
    $ cargo ab link key-value two --store redis://127.0.0.1:[PORT]/3
    error: the Redis store redis://127.0.0.1:[PORT]/3 requires a password
    hint: put it into the URL: redis://:PASSWORD@host:port
    [exit status: 1]
    $ cargo ab link key-value two --store redis://:wrong@127.0.0.1:[PORT]/3
    error: the Redis store redis://:***@127.0.0.1:[PORT]/3 rejected the user name or password
    hint: check the user name and password in the URL
    [exit status: 1]
    $ cargo ab link key-value two --store redis://:[PASSWORD]@127.0.0.1:[PORT]/3
    Key value store "redis://:***@127.0.0.1:[PORT]/3" is now linked to app "sentiment-analysis-ab-test" with the label "two"
    $ cargo ab kv list
    +---------------------------------------------------------------------+
    | App                          Label   Key Value Store                |
    +=====================================================================+
    | sentiment-analysis-ab-test   one     elsewhere/store.db             |
    | sentiment-analysis-ab-test   two     redis://:***@127.0.0.1:[PORT]/3 |
    +---------------------------------------------------------------------+
    $ cargo ab kv set --label two a=1 b=2
    $ cargo ab kv keys --label two
    a
    b
    $ cargo ab kv keys --label one
    "#);
}

#[test]
fn stores_that_only_spin_reaches_can_be_linked() {
    let sandbox = Sandbox::new(&["one", "two"]);
    let lines = [
        "link key-value one --store azure-cosmos://account/prompts",
        "link key-value one --store azure-cosmos://:s3cret%3D@account/prompts/case-a",
        "link key-value one --store azure-cosmos://account/prompts/case-a",
        "link key-value two --store aws-dynamo://AKIA:s3cret@eu-west-1/case-b?consistent_read=true",
        "link key-value two --store aws-dynamo://s3cret@eu-west-1/case-b",
        "kv list",
        "kv get --label one prompt",
        "kv set --store aws-dynamo://eu-west-1/case-b prompt=x",
        "kv create azure-cosmos://:s3cret@account/prompts/case-c",
        "up --no-build",
        "unlink key-value one",
        "up --no-build",
    ];
    let seen = sandbox.session(&lines);
    let shown: Vec<_> = seen.lines().filter(|line| !line.starts_with('$')).collect();
    assert!(!shown.join("\n").contains("s3cret"), "{seen}");
    assert_snapshot!(seen, @r#"
        $ cargo ab link key-value one --store azure-cosmos://account/prompts
        error: azure-cosmos://account/prompts is not the address of a container of Azure Cosmos DB
        hint: write azure-cosmos://[:KEY@]ACCOUNT/DATABASE/CONTAINER, with /, + and = of the key as %2F, %2B and %3D
        [exit status: 1]
        $ cargo ab link key-value one --store azure-cosmos://:s3cret%3D@account/prompts/case-a
        Key value store "azure-cosmos://account/prompts/case-a" is now linked to app "sentiment-analysis-ab-test" with the label "one"
        warning: the store now linked to the label "one" needs Spin
        hint: run the app with `spin up`; `cargo ab up` and `cargo ab kv` cannot reach it
        $ cargo ab link key-value one --store azure-cosmos://account/prompts/case-a
        error: Key value store "azure-cosmos://account/prompts/case-a" is already linked to app "sentiment-analysis-ab-test" with the label "one"
        [exit status: 1]
        $ cargo ab link key-value two --store aws-dynamo://AKIA:s3cret@eu-west-1/case-b?consistent_read=true
        Key value store "aws-dynamo://eu-west-1/case-b" is now linked to app "sentiment-analysis-ab-test" with the label "two"
        warning: the store now linked to the label "two" needs Spin
        hint: run the app with `spin up`; `cargo ab up` and `cargo ab kv` cannot reach it
        $ cargo ab link key-value two --store aws-dynamo://s3cret@eu-west-1/case-b
        error: aws-dynamo://***@eu-west-1/case-b is not the address of a table of Amazon DynamoDB
        hint: write aws-dynamo://[ACCESS_KEY:SECRET_KEY@]REGION/TABLE[?consistent_read=true][&token=TOKEN], with / and + of the keys as %2F and %2B
        [exit status: 1]
        $ cargo ab kv list
        +----------------------------------------------------------------------------+
        | App                          Label   Key Value Store                       |
        +============================================================================+
        | sentiment-analysis-ab-test   one     azure-cosmos://account/prompts/case-a |
        | sentiment-analysis-ab-test   two     aws-dynamo://eu-west-1/case-b         |
        +----------------------------------------------------------------------------+
        $ cargo ab kv get --label one prompt
        error: a key value store of the type "azure_cosmos" needs Spin
        hint: an app that runs on Spin reaches it; this program reaches SQLite files and Redis databases
        [exit status: 1]
        $ cargo ab kv set --store aws-dynamo://eu-west-1/case-b prompt=x
        error: a key value store of the type "aws_dynamo" needs Spin
        hint: an app that runs on Spin reaches it; this program reaches SQLite files and Redis databases
        [exit status: 1]
        $ cargo ab kv create azure-cosmos://:s3cret@account/prompts/case-c
        error: a cloud store is created with its provider; link its address
        hint: `cargo ab link key-value LABEL --store ADDRESS`
        [exit status: 1]
        $ cargo ab up --no-build
        error: [FOLDER]/runtime-config.toml:2: [key_value_store.one] with the type "azure_cosmos" needs Spin
        hint: run this app with `spin up`, or remove it
        [exit status: 1]
        $ cargo ab unlink key-value one
        Key value store 'azure-cosmos://account/prompts/case-a' no longer linked to app sentiment-analysis-ab-test
        $ cargo ab up --no-build
        error: [FOLDER]/runtime-config.toml:3: [key_value_store.two] with the type "aws_dynamo" needs Spin
        hint: run this app with `spin up`, or remove it
        [exit status: 1]
    "#);
    assert_eq!(
        sandbox.read("runtime-config.toml"),
        "\n[key_value_store.two]\ntype = \"aws_dynamo\"\nregion = \"eu-west-1\"\ntable = \"case-b\"\naccess_key = \"AKIA\"\n\
         secret_key = \"s3cret\"\nconsistent_read = true\n"
    );
}

#[test]
fn a_link_made_by_hand_can_be_repaired() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a k=1").ok();
    sandbox.write(
        "runtime-config.toml",
        "[key_value_store.one]\ntype = \"spin\"\npath = \".spin/stores/case-a.db\"\n",
    );
    assert_snapshot!(
        sandbox.session(&["kv get --store case-a k", "link key-value one --store case-a", "kv get --store case-a k"]),
        @r#"
        $ cargo ab kv get --store case-a k
        warning: key value store "case-a" is linked with the label "one", but its entries are kept under "case-a": the app does not see them
        hint: `cargo ab link key-value one --store case-a` moves them
        error: No key "k" in key value store "case-a"
        [exit status: 1]
        $ cargo ab link key-value one --store case-a
        Key value store "case-a" is now linked to app "sentiment-analysis-ab-test" with the label "one"
        $ cargo ab kv get --store case-a k
        1
        "#
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
        @r#"
        $ cargo ab kv list
        +------------------------------------------------------------------+
        | App                          Label     Key Value Store           |
        +==================================================================+
        | sentiment-analysis-ab-test   default   .spin/sqlite_key_value.db |
        +------------------------------------------------------------------+
        $ cargo ab kv set --label default k=1
        $ cargo ab kv get --label default k
        1
        $ cargo ab link key-value other --store .spin/sqlite_key_value.db
        error: Key value store ".spin/sqlite_key_value.db" is linked to app "sentiment-analysis-ab-test" with the label "default", and it can have only one label: Spin keeps the entries of an SQLite file by label
        hint: Spin links the label "default" to it automatically, unless runtime-config.toml links that label to another store
        [exit status: 1]
        "#
    );
    assert_eq!(app_reads(&sandbox.path(".spin/sqlite_key_value.db"), "default").len(), 1);
}

#[test]
fn labels_that_are_not_linked_are_explained_before_the_app_starts() {
    let sandbox = Sandbox::new(&["one", "two"]);
    assert_snapshot!(sandbox.session(&["up --no-build"]), @r#"
    $ cargo ab up --no-build
    error: app "sentiment-analysis-ab-test" accesses key value stores labeled "one" and "two", which are not linked
    hint: `cargo ab link key-value one --app sentiment-analysis-ab-test --store STORE` and `cargo ab link key-value two --app sentiment-analysis-ab-test --store STORE`; `cargo ab kv list` shows the stores
    [exit status: 1]
    "#);
    assert!(!sandbox.path("runtime-config.toml").exists());
}

//! Names, files and servers that are not what they should be: a clear error, and nothing changed.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::sandbox::{Sandbox, rows};
use e2e::redis_server::RedisServer;

#[test]
fn names_that_break_the_rule() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let mut seen = String::new();
    for name in ["a/b", "..", "a.b", "a b", "", "default", "-x", "é"] {
        let run = sandbox.run(&["kv", "create", "--", name]);
        let first = run.messages().lines().next().unwrap_or_default().to_owned();
        writeln!(seen, "{name:?}: {first}").unwrap();
        assert!(!run.succeeded());
    }
    assert_snapshot!(seen, @r#"
    "a/b": error: "a/b" is not a valid store name
    "..": error: ".." is not a valid store name
    "a.b": error: "a.b" is not a valid store name
    "a b": error: "a b" is not a valid store name
    "": error: "" is not a valid store name
    "default": error: "default" is not a valid store name
    "-x": error: "-x" is not a valid store name
    "é": error: "é" is not a valid store name
    "#);
    assert_snapshot!(
        sandbox.session(&[
            "kv create CASE-A",
            "kv create redis://localhost:1/1",
            "kv rename case-a a/b",
            "kv rename case-a case-a",
            "kv rename nowhere case-b",
            "kv delete nowhere --yes",
            "kv delete case-a",
            "kv set --store no.name k=1",
        ]),
        @r#"
        $ cargo ab kv create CASE-A
        error: Key value store "case-a" already exists
        hint: use that store, or choose another name
        [exit status: 1]
        $ cargo ab kv create redis://localhost:1/1
        error: a Redis database does not have to be created; link its URL
        hint: to give it a name: `cargo ab kv create NAME --redis redis://localhost:1/1`
        [exit status: 1]
        $ cargo ab kv rename case-a a/b
        error: "a/b" is not a valid store name
        hint: a name has 1 to 64 letters (a-z, A-Z), digits, hyphens and underscores, starts with a letter or a digit, and is not the reserved word "default"
        [exit status: 1]
        $ cargo ab kv rename case-a case-a
        error: Key value store "case-a" already exists
        hint: use that store, or choose another name
        [exit status: 1]
        $ cargo ab kv rename nowhere case-b
        error: No key value store found with name "nowhere"
        hint: `cargo ab kv list` lists the stores
        [exit status: 1]
        $ cargo ab kv delete nowhere --yes
        error: No key value store found with name "nowhere"
        hint: `cargo ab kv list` lists the stores
        [exit status: 1]
        $ cargo ab kv delete case-a
        error: deleting key value store "case-a" cannot be undone
        hint: pass --yes to delete it without being asked; nothing was changed
        [exit status: 1]
        $ cargo ab kv set --store no.name k=1
        error: "no.name" is not a valid store name
        hint: a name has 1 to 64 letters (a-z, A-Z), digits, hyphens and underscores, starts with a letter or a digit, and is not the reserved word "default"
        [exit status: 1]
        "#
    );
    assert_eq!(fs::read_dir(sandbox.path(".spin/stores")).unwrap().count(), 1);
}

#[test]
fn files_that_are_no_stores() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.write(
        "text.db",
        "not a database, but as long as the header of one would have to be to look like it",
    );
    Connection::open(sandbox.path("music.db")).unwrap().execute("CREATE TABLE songs (title)", []).unwrap();
    sandbox.ab("kv create case-a").ok();
    sandbox.run(&["kv", "set", "-s", "case-a", &format!("k={}", "x".repeat(100_000))]).ok();
    let mut damaged = fs::read(sandbox.store("case-a")).unwrap();
    damaged[4096..40_000].fill(0xff);
    sandbox.write("damaged.db", &damaged);
    let files = ["text.db", "music.db", "damaged.db"];
    let before = files.map(|file| fs::read(sandbox.path(file)).unwrap());
    assert_snapshot!(
        sandbox.session(&[
            "kv set -s text.db k=1",
            "link key-value one -s text.db",
            "kv set -s music.db k=1",
            "link key-value one -s music.db",
            "kv set -s damaged.db k=1",
            "link key-value one -s damaged.db",
            "kv get -s ./ k",
        ]),
        @r#"
        $ cargo ab kv set -s text.db k=1
        error: the store [FOLDER]/text.db is not an SQLite database, or it is encrypted
        hint: choose another file; one that does not exist yet becomes an empty store
        [exit status: 1]
        $ cargo ab link key-value one -s text.db
        error: the store [FOLDER]/text.db is not an SQLite database, or it is encrypted
        hint: choose another file; one that does not exist yet becomes an empty store
        [exit status: 1]
        $ cargo ab kv set -s music.db k=1
        error: the SQLite database [FOLDER]/music.db is not a key-value store: its tables are songs
        hint: choose another file; one that does not exist yet becomes an empty store
        [exit status: 1]
        $ cargo ab link key-value one -s music.db
        error: the SQLite database [FOLDER]/music.db is not a key-value store: its tables are songs
        hint: choose another file; one that does not exist yet becomes an empty store
        [exit status: 1]
        $ cargo ab kv set -s damaged.db k=1
        error: the store [FOLDER]/damaged.db is damaged: database disk image is malformed
        hint: restore the file from a copy, or recover what it holds with `sqlite3 FILE .recover`
        [exit status: 1]
        $ cargo ab link key-value one -s damaged.db
        error: the store [FOLDER]/damaged.db is damaged: database disk image is malformed
        hint: restore the file from a copy, or recover what it holds with `sqlite3 FILE .recover`
        [exit status: 1]
        $ cargo ab kv get -s ./ k
        error: cannot open the store [FOLDER]: unable to open database file: [FOLDER]
        hint: check the path, and that its folder is writable
        [exit status: 1]
        "#
    );
    assert_eq!(files.map(|file| fs::read(sandbox.path(file)).unwrap()), before);
    assert!(!sandbox.path("runtime-config.toml").exists());
}

#[test]
fn a_locked_store() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let other = Connection::open(sandbox.store("case-a")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_snapshot!(sandbox.session(&["kv set -s case-a k=1", "kv rename case-a case-b"]), @r#"
    $ cargo ab kv set -s case-a k=1
    error: the store [FOLDER]/.spin/stores/case-a.db is locked by another process (waited 5 s)
    hint: stop the process that holds the lock, or try again
    [exit status: 1]
    $ cargo ab kv rename case-a case-b
    error: the store [FOLDER]/.spin/stores/case-a.db is in use
    hint: stop the app that uses it, or unlink the store, and try again
    [exit status: 1]
    "#);
    drop(other);
    sandbox.ab("kv set -s case-a k=1").ok();
}

#[test]
fn a_store_in_use_is_neither_moved_nor_removed() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("link key-value one -s case-a").ok();
    let app = Connection::open(sandbox.store("case-a")).unwrap();
    app.pragma_update(None, "journal_mode", "WAL").unwrap();
    app.execute("INSERT INTO spin_key_value VALUES ('one', 'k', x'31')", []).unwrap();
    assert_snapshot!(
        sandbox.session(&["kv rename case-a case-b", "kv delete case-a --yes", "kv get -s case-a k"]),
        @r#"
        $ cargo ab kv rename case-a case-b
        error: the store [FOLDER]/.spin/stores/case-a.db is in use
        hint: stop the app that uses it, or unlink the store, and try again
        [exit status: 1]
        $ cargo ab kv delete case-a --yes
        error: the store [FOLDER]/.spin/stores/case-a.db is in use
        hint: stop the app that uses it, or unlink the store, and try again
        [exit status: 1]
        $ cargo ab kv get -s case-a k
        1
        "#
    );
    drop(app);
    sandbox.ab("kv rename case-a case-b").ok();
    assert_eq!(sandbox.ab("kv get -l one k").ok().bytes(), b"1", "the log went with the file");
    let files: Vec<_> =
        fs::read_dir(sandbox.path(".spin/stores")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["case-b.db"]);
}

/// Permissions mean nothing to root, so the command runs as nobody then.
#[cfg(unix)]
#[test]
fn a_read_only_store() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let mode =
        |path: &str, mode| fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
    for (path, permissions) in
        [(".", 0o755), (".spin", 0o755), (".spin/stores", 0o555), (".spin/stores/case-a.db", 0o444)]
    {
        mode(path, permissions);
    }
    let mut command = sandbox.command(&["kv", "set", "-s", "case-a", "k=1"]);
    if fs::metadata(sandbox.path(".")).unwrap().uid() == 0 {
        // Nobody may not look into root's folders, so the program comes along.
        let program = sandbox.path("ab");
        fs::copy(env!("CARGO_BIN_EXE_ab"), &program).unwrap();
        command = std::process::Command::new(program);
        command
            .args(["kv", "set", "-s", "case-a", "k=1"])
            .current_dir(sandbox.path("."))
            .uid(65534)
            .gid(65534);
    }
    let output = command.output().unwrap();
    mode(".spin/stores", 0o755);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("case-a.db is read-only"), "{message}");
    assert!(rows(&sandbox.store("case-a")).is_empty());
}

#[test]
fn redis_that_does_not_let_us_in() {
    let sandbox = Sandbox::new(&["one"]);
    assert_snapshot!(
        sandbox.session(&[
            "kv create case-a --redis redis://127.0.0.1:1/0",
            "link key-value one -s redis://127.0.0.1:1/0",
            "kv set -s redis://127.0.0.1:1/0 k=1",
            "kv set -s redis:// k=1",
            "kv list",
        ]),
        @r#"
        $ cargo ab kv create case-a --redis redis://127.0.0.1:1/0
        error: cannot reach the Redis store redis://127.0.0.1:1/0: Connection refused (os error 111)
        hint: check that the server is running and that the URL's host and port are right
        [exit status: 1]
        $ cargo ab link key-value one -s redis://127.0.0.1:1/0
        error: cannot reach the Redis store redis://127.0.0.1:1/0: Connection refused (os error 111)
        hint: check that the server is running and that the URL's host and port are right
        [exit status: 1]
        $ cargo ab kv set -s redis://127.0.0.1:1/0 k=1
        error: cannot reach the Redis store redis://127.0.0.1:1/0: Connection refused (os error 111)
        hint: check that the server is running and that the URL's host and port are right
        [exit status: 1]
        $ cargo ab kv set -s redis:// k=1
        error: the URL of the Redis store is not valid: Missing hostname
        hint: write redis://[user][:password@]host[:port][/database]
        [exit status: 1]
        $ cargo ab kv list
        No key value stores found
        "#
    );
    let Some(redis) = RedisServer::start(&["--requirepass", "s3cret"]) else { return };
    let seen = sandbox.ab(&format!("kv create case-a --redis {}", redis.url(0))).seen();
    assert!(seen.contains("requires a password") && seen.contains("hint:"), "{seen}");
    let seen = sandbox.ab(&format!("kv get -s redis://:wrong@127.0.0.1:{}/0 k", redis.port)).seen();
    assert!(seen.contains("rejected the user name or password") && !seen.contains("wrong"), "{seen}");
    assert!(!sandbox.path(".spin/stores").exists() && !sandbox.path("runtime-config.toml").exists());
}

#[test]
fn a_broken_configuration_or_manifest_is_left_alone() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let broken = "[key_value_store.one\ntype = \"spin\"\n";
    sandbox.write("runtime-config.toml", broken);
    sandbox.write("odd/runtime-config.toml", "[key_value_store]\none = 3\n");
    sandbox.write("no-manifest/readme", "");
    sandbox.write("bad-manifest/spin.toml", "spin_manifest_version = 2\n[application]\n");
    sandbox.write("old-manifest/spin.toml", "spin_manifest_version = 1\n[application]\nname = \"x\"\n");
    assert_snapshot!(
        sandbox.session(&[
            "link key-value one -s case-a",
            "kv list",
            "kv list --runtime-config-file odd/runtime-config.toml",
            "kv list --from no-manifest",
            "kv list --from bad-manifest",
            "kv list --from old-manifest",
        ]),
        @r#"
        $ cargo ab link key-value one -s case-a
        error: [FOLDER]/runtime-config.toml:1: unclosed table, expected `]`
        hint: correct it as described in Spin's runtime configuration reference
        [exit status: 1]
        $ cargo ab kv list
        error: [FOLDER]/runtime-config.toml:1: unclosed table, expected `]`
        hint: correct it as described in Spin's runtime configuration reference
        [exit status: 1]
        $ cargo ab kv list --runtime-config-file odd/runtime-config.toml
        error: [FOLDER]/odd/runtime-config.toml:2: invalid type: integer `3`, expected a table
        hint: correct it as described in Spin's runtime configuration reference
        [exit status: 1]
        $ cargo ab kv list --from no-manifest
        error: there is no manifest at no-manifest/spin.toml
        hint: --from takes a spin.toml, or the folder that holds one
        [exit status: 1]
        $ cargo ab kv list --from bad-manifest
        error: [FOLDER]/bad-manifest/spin.toml:2: missing key `name`
        hint: correct it as described in Spin's manifest reference
        [exit status: 1]
        $ cargo ab kv list --from old-manifest
        error: [FOLDER]/old-manifest/spin.toml:1: the manifest version 1 is not valid: only version 2 is supported
        hint: correct it as described in Spin's manifest reference
        [exit status: 1]
        "#
    );
    assert_eq!(sandbox.read("runtime-config.toml"), broken);
}

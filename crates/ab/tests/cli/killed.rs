//! Processes that are killed: what they leave is as before or as after, for every program that looks.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::{Sandbox, app_reads, rows};

type Entries = Vec<(String, Vec<u8>)>;

/// What anybody can see: for each link the store it names and what an app finds there, and each unlinked store's entries.
#[derive(Debug, PartialEq, Eq)]
struct View {
    list: String,
    linked: Vec<(String, Entries)>,
    unlinked: Vec<(String, String)>,
}

impl View {
    fn of(sandbox: &Sandbox) -> Self {
        let list = sandbox.ab("kv list --format json").ok().output_text();
        let stores: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
        let mut view = Self { list, linked: Vec::new(), unlinked: Vec::new() };
        for store in stores {
            let name = store["key_value_store"].as_str().unwrap().to_owned();
            if let Some(label) = store["links"][0]["label"].as_str() {
                // As the app does: the file at the link's path, the rows under the label.
                let path = sandbox.store(&name);
                assert!(path.exists(), "a link leads to a missing file");
                view.linked.push((name, app_reads(&path, label)));
            } else {
                let entries = sandbox.ab(&format!("kv export --store {name}")).ok().output_text();
                view.unlinked.push((name, entries));
            }
        }
        view
    }
}

/// A folder where case-a was linked as `one` once and case-b is linked as `two`.
fn before() -> Sandbox {
    let sandbox = Sandbox::new(&["one", "two", "three"]);
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv create case-b").ok();
    sandbox.ab("kv set -s case-a a=1 b=2").ok();
    sandbox.ab("kv set -s case-b c=3").ok();
    sandbox.ab("link key-value one -s case-a").ok();
    sandbox.ab("link key-value two -s case-b").ok();
    sandbox.ab("unlink key-value one").ok();
    sandbox.write("more.jsonl", "{\"key\":\"a\",\"value\":\"eA==\"}\n{\"key\":\"d\",\"value\":\"eQ==\"}\n");
    sandbox
}

#[test]
fn at_every_point_of_every_change() {
    let changes = [
        (
            "link key-value three -s case-a",
            &["adopt:uncommitted", "link:moved", "replace:written", "link:saved"][..],
        ),
        (
            "link key-value two -s case-a --yes",
            &["adopt:uncommitted", "link:moved", "replace:written", "link:saved"],
        ),
        ("unlink key-value two", &["adopt:uncommitted", "replace:written"]),
    ];
    for (change, points) in changes {
        let sandbox = before();
        let untouched = View::of(&sandbox);
        sandbox.ab(change).ok();
        let after = View::of(&sandbox);
        assert_ne!(untouched, after);
        for point in points {
            let sandbox = before();
            let words: Vec<&str> = change.split_whitespace().collect();
            let output = sandbox.command(&words).env("AB_CRASH_AT", point).output().unwrap();
            assert!(!output.status.success(), "{change} never comes to {point}");
            let left = View::of(&sandbox);
            assert!(left == untouched || left == after, "{change}, killed at {point}: {left:#?}");
            if left == untouched {
                sandbox.ab(change).ok();
            }
            assert_eq!(View::of(&sandbox), after, "{change}, after {point}");
        }
    }
}

/// The runtime configuration may hold a password or a token: whoever may not read it, may not read what takes its place either, not even
/// for the moment in which both are there.
#[cfg(unix)]
#[test]
fn what_takes_the_place_of_a_file_with_secrets_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = before();
    std::fs::set_permissions(sandbox.path("runtime-config.toml"), PermissionsExt::from_mode(0o640)).unwrap();
    let change = ["unlink", "key-value", "two"];
    let output = sandbox.command(&change).env("AB_CRASH_AT", "replace:written").output().unwrap();
    assert!(!output.status.success());
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let left = std::fs::read_dir(sandbox.path(".")).unwrap().map(|entry| entry.unwrap().path());
    let temporary = left.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".ab-"));
    let modes: Vec<_> = temporary.map(|path| mode(&path)).collect();
    assert_eq!(modes, [0o640], "the temporary file has the permissions of the one whose place it takes");
    sandbox.run(&change).ok();
    assert_eq!(mode(&sandbox.path("runtime-config.toml")), 0o640);
}

/// The links lead nowhere then, and the same command again completes it.
#[test]
fn a_rename_killed_between_file_and_links_is_completed_by_running_it_again() {
    let sandbox = before();
    let rename = ["kv", "rename", "case-b", "case-c"];
    for point in ["rename:moved", "replace:written"] {
        let output = sandbox.command(&rename).env("AB_CRASH_AT", point).output().unwrap();
        assert!(!output.status.success(), "never comes to {point}");
        assert!(!sandbox.store("case-b").exists());
        assert_eq!(app_reads(&sandbox.store("case-c"), "two"), [("c".to_owned(), b"3".to_vec())]);
        assert!(sandbox.read("runtime-config.toml").contains("case-b.db"));
    }
    sandbox.run(&rename).ok();
    let linked = vec![("case-c".to_owned(), app_reads(&sandbox.store("case-c"), "two"))];
    assert_eq!(View::of(&sandbox).linked, linked);
    assert!(!sandbox.run(&rename).succeeded(), "there is nothing left to do");
}

#[test]
fn an_import_killed_at_any_time() {
    let sandbox = Sandbox::new(&["one"]);
    sandbox.ab("kv create case-a").ok();
    let lines = (0..20_000).map(|number| format!("{{\"key\":\"{number}\",\"value\":\"eA==\"}}\n"));
    sandbox.write("many.jsonl", lines.collect::<String>());
    let count = || rows(&sandbox.store("case-a")).len();
    let import = || {
        let mut command = sandbox.command(&["kv", "import", "-s", "case-a", "many.jsonl"]);
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let start = Instant::now();
    assert!(import().wait().unwrap().success());
    let whole = start.elapsed();
    for step in 0..20 {
        empty(&sandbox.store("case-a"));
        let mut child = import();
        std::thread::sleep(whole * step / 20);
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        let left = count();
        assert!(left == 20_000 || (left == 0 && !finished), "{left} rows were left");
    }
}

#[test]
fn two_changes_of_links_at_once() {
    let labels: Vec<String> = (0..8).map(|number| format!("label{number}")).collect();
    let sandbox = Sandbox::new(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    for label in &labels {
        sandbox.ab(&format!("kv create {label}")).ok();
    }
    let link = |label: &String| sandbox.command(&["link", "key-value", label, "-s", label]).spawn().unwrap();
    let children: Vec<_> = labels.iter().map(link).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let config = sandbox.read("runtime-config.toml");
    assert!(labels.iter().all(|label| config.contains(&format!("[key_value_store.{label}]"))), "{config}");
}

/// Ctrl-C while a command waits for another program.
#[cfg(unix)]
#[test]
fn an_interrupted_command_changes_nothing() {
    let sandbox = before();
    let untouched = View::of(&sandbox);
    let app = rusqlite::Connection::open(sandbox.store("case-a")).unwrap();
    app.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut child = sandbox
        .command(&["link", "key-value", "three", "-s", "case-a"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It holds the lock between runs while it waits for the store.
    let lock = std::fs::File::open(sandbox.path(".spin/ab.lock")).unwrap();
    let start = Instant::now();
    while lock.try_lock().is_ok() {
        lock.unlock().unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "the command does not start");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(!child.wait().unwrap().success());
    drop(app);
    assert_eq!(View::of(&sandbox), untouched);
}

fn empty(path: &Path) {
    rusqlite::Connection::open(path).unwrap().execute("DELETE FROM spin_key_value", []).unwrap();
}

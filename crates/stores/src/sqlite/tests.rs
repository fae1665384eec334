//! What is particular to `SQLite`: the file, other processes, and the disk.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};

use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use rusqlite::Connection;
use tempfile::TempDir;

use super::file::File;
use super::readers::Readers;
use crate::{Store, StoreError};

const SPIN_TABLE: &str =
    "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                          PRIMARY KEY (store, key))";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn sqlite(path: &Path, statements: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statements).unwrap();
    connection
}

#[tokio::test]
async fn the_file_is_spins() {
    let folder = folder();
    let path = folder.path().join("not/there/yet.db");
    let store = Store::sqlite(&path, "mine").unwrap();
    assert_eq!(store.to_string(), path.display().to_string());
    store.set("key", vec![0xff]).await.unwrap();
    store.increment("counter", 258).await.unwrap();

    let other = Store::sqlite(&path, "other").unwrap();
    assert_eq!(other.get("key").await, Ok(None));
    other.set("key", b"other".to_vec()).await.unwrap();
    assert_eq!(store.get("key").await, Ok(Some(vec![0xff])));

    let spin = Connection::open(&path).unwrap();
    let rows: Vec<(String, String, Vec<u8>)> = spin
        .prepare("SELECT store, key, value FROM spin_key_value ORDER BY store, key")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let row = |store: &str, key: &str, value: &[u8]| (store.to_owned(), key.to_owned(), value.to_vec());
    assert_eq!(
        rows,
        [
            row("mine", "counter", &[2, 1, 0, 0, 0, 0, 0, 0]),
            row("mine", "key", &[0xff]),
            row("other", "key", b"other")
        ]
    );
}

#[tokio::test]
async fn takes_over_a_file_of_spin_and_leaves_one_file_behind() {
    let folder = folder();
    let path = folder.path().join("spin.db");
    // Spin keeps its connection open, in rollback-journal mode.
    let spin = sqlite(
        &path,
        &format!(
            "{SPIN_TABLE}; INSERT INTO spin_key_value VALUES ('l', 'blob', x'ff'), ('l', 'text', 'text')"
        ),
    );
    let store = Store::sqlite(&path, "l").unwrap();
    assert_eq!(store.get("blob").await, Ok(Some(vec![0xff])));
    assert_eq!(store.get("text").await, Ok(Some(b"text".to_vec())));
    spin.execute("INSERT INTO spin_key_value VALUES ('l', 'new', x'00'), ('l', 'number', 7)", []).unwrap();
    assert_eq!(store.get("new").await, Ok(Some(vec![0])));
    assert!(matches!(store.get("number").await, Err(StoreError::Sqlite { .. })));
    let mode: String = spin.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    drop(spin);
    store.close().await;
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["spin.db"]);
}

#[test]
fn several_may_make_the_same_store_at_once() {
    for _ in 0..10 {
        let folder = folder();
        let path = folder.path().join("new/store.db");
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::sqlite(&path, "l"))).collect();
            for opened in opening {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn a_file_that_is_no_store_is_refused_and_stays_as_it_was() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text"), "not a database, but long enough to have a header ".repeat(50)).unwrap();
    drop(sqlite(&at("other"), "CREATE TABLE bookmarks (url TEXT)"));
    drop(sqlite(&at("columns"), "CREATE TABLE spin_key_value (key TEXT PRIMARY KEY, value BLOB)"));
    drop(sqlite(&at("key"), "CREATE TABLE spin_key_value (store TEXT, key TEXT PRIMARY KEY, value BLOB)"));
    let mut damaged = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20".to_vec();
    damaged.resize(4096, 0x5a);
    std::fs::write(at("damaged"), damaged).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    for (name, expected) in [
        ("text", "the store PATH is not an SQLite database, or it is encrypted"),
        ("other", "the SQLite database PATH is not a key-value store: its tables are bookmarks"),
        (
            "columns",
            "the SQLite database PATH is not a key-value store: its table spin_key_value has the columns key, value \
             and the primary key (key)",
        ),
        (
            "key",
            "the SQLite database PATH is not a key-value store: its table spin_key_value has the columns key, store, \
             value and the primary key (key)",
        ),
        ("damaged", "the store PATH is damaged: database disk image is malformed"),
        ("folder", "cannot open the store PATH: unable to open database file: PATH"),
        ("text/below", "cannot open the store PATH: the folder TEXT cannot be made: "),
    ] {
        let before = std::fs::read(at(name)).ok();
        let error = Store::sqlite(&at(name), "label").unwrap_err();
        let message = error.to_string().replace(&at(name).display().to_string(), "PATH");
        let message = message.replace(&at("text").display().to_string(), "TEXT");
        assert!(message.starts_with(expected), "{name}: {message}");
        assert!(error.hint().is_some(), "{name}");
        assert_eq!(std::fs::read(at(name)).ok(), before, "{name}");
    }
}

#[tokio::test]
async fn damage_found_later_is_an_error_of_that_read() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = Store::sqlite(&path, "l").unwrap();
    store.set_many((0..500).map(|number| (format!("key{number}"), vec![7; 100])).collect()).await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::sqlite(&path, "l").unwrap();
    for failed in [
        store.get("key1").await.map(drop),
        store.set("key1", vec![]).await,
        store.keys_page(None, 9).await.map(drop),
    ] {
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("is damaged") && message.contains(&path.display().to_string()), "{message}");
    }
}

/// Reads go on while another process holds the lock for writing, and a write waits for it.
#[tokio::test]
async fn a_writer_elsewhere_delays_writes_and_no_reads() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = Store::sqlite(&path, "l").unwrap();
    store.set("key", b"old".to_vec()).await.unwrap();
    let elsewhere = sqlite(&path, "BEGIN IMMEDIATE; UPDATE spin_key_value SET value = 'elsewhere'");
    let mut writing = pin!(store.set("key", b"new".to_vec()));
    assert_eq!(writing.as_mut().now_or_never(), None);
    for _ in 0..100 {
        assert_eq!(store.get("key").await, Ok(Some(b"old".to_vec())));
        assert_eq!(writing.as_mut().now_or_never(), None);
    }
    elsewhere.execute_batch("COMMIT").unwrap();
    writing.await.unwrap();
    assert_eq!(store.get("key").await, Ok(Some(b"new".to_vec())));
}

/// In a file that cannot be switched to write-ahead mode a commit elsewhere does hold reads up: off this thread.
#[tokio::test]
async fn a_read_that_must_wait_leaves_the_thread_to_others() {
    let folder = folder();
    let path = folder.path().join("rollback.db");
    let elsewhere =
        sqlite(&path, &format!("{SPIN_TABLE}; INSERT INTO spin_key_value VALUES ('l', 'key', x'01')"));
    let readers = std::sync::Arc::new(Readers::new(std::sync::Arc::new(File::new(&path, "l").unwrap())));
    let read = || readers.read(|connection, label| super::get(connection, label, "key"));
    assert_eq!(read().await, Ok(Some(vec![1])));
    elsewhere.execute_batch("BEGIN EXCLUSIVE; UPDATE spin_key_value SET value = x'02'").unwrap();
    let mut reading = pin!(join_all([read(), read(), read()]));
    // The runtime has one thread: that this task goes on shows that the reads left it.
    for _ in 0..100 {
        assert!(reading.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    elsewhere.execute_batch("COMMIT").unwrap();
    assert_eq!(reading.await, [Ok(Some(vec![2])), Ok(Some(vec![2])), Ok(Some(vec![2]))]);
}

#[tokio::test]
async fn a_lock_that_stays_is_an_error_in_the_end() {
    let folder = folder();
    let path = folder.path().join("locked.db");
    let rollback = folder.path().join("rollback.db");
    let store = Store::sqlite(&path, "l").unwrap();
    let _lock = sqlite(&path, "BEGIN IMMEDIATE");
    let _rollback_lock = sqlite(&rollback, &format!("{SPIN_TABLE}; BEGIN EXCLUSIVE"));
    let opening = tokio::task::spawn_blocking({
        let rollback = rollback.clone();
        move || Store::sqlite(&rollback, "l").map(drop)
    });
    let (opened, written) = tokio::join!(opening, store.set("key", vec![]));
    for (failed, path) in [(opened.unwrap(), rollback), (written, path)] {
        let message = format!("the store {} is locked by another process (waited 5 s)", path.display());
        assert_eq!(failed.unwrap_err().to_string(), message);
    }
}

/// One change of a group that fails takes no other along.
#[tokio::test]
async fn of_writes_committed_together_only_the_bad_one_fails() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = Store::sqlite(&path, "l").unwrap();
    let elsewhere = sqlite(
        &path,
        "CREATE TRIGGER no BEFORE INSERT ON spin_key_value WHEN NEW.key = '5' BEGIN SELECT RAISE(ABORT, 'not five'); END;
         BEGIN IMMEDIATE",
    );
    let keys: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    let mut writing = pin!(join_all(keys.iter().map(|key| store.set(key, Vec::new()))));
    assert!(writing.as_mut().now_or_never().is_none());
    elsewhere.execute_batch("COMMIT").unwrap();
    for (key, written) in keys.iter().zip(writing.await) {
        assert_eq!(written.is_err(), key == "5", "{key}: {written:?}");
        assert_eq!(store.exists(key).await, Ok(key != "5"), "{key}");
    }
    let both = vec![("a".to_owned(), vec![]), ("5".to_owned(), vec![])];
    assert!(store.set_many(both).await.unwrap_err().to_string().contains("not five"));
    assert_eq!(store.exists("a").await, Ok(false));
}

#[tokio::test]
async fn what_is_queued_is_written_though_nobody_waits_for_it() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let store = Store::sqlite(&path, "l").unwrap();
    for number in 0..300 {
        assert_eq!(store.set(&number.to_string(), Vec::new()).now_or_never(), None);
    }
    store.close().await;
    let rows = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM spin_key_value", [], |row| row.get(0));
    assert_eq!(rows, Ok(300));
}

/// Two stores here, a connection of Spin's kind, and another process, all on one counter.
#[tokio::test]
async fn writers_in_several_places_lose_nothing() {
    let folder = folder();
    let path = folder.path().join("store.db");
    let stores = [Store::sqlite(&path, "l").unwrap(), Store::sqlite(&path, "l").unwrap()];
    let mut process = child("count", &path);
    let spin = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut connection = Connection::open(path).unwrap();
            for number in 0..50 {
                let transaction =
                    connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
                let set = "INSERT INTO spin_key_value VALUES ('l', ?1, x'')";
                transaction.execute(set, [format!("spin{number}")]).unwrap();
                transaction.commit().unwrap();
            }
        }
    });
    for _ in 0..10 {
        try_join_all(stores.iter().flat_map(|store| (0..10).map(|_| store.increment("counter", 1))))
            .await
            .unwrap();
    }
    let waited = tokio::task::spawn_blocking(move || (spin.join(), process.wait().unwrap())).await.unwrap();
    assert!(waited.0.is_ok() && waited.1.success(), "{waited:?}");
    assert_eq!(stores[0].increment("counter", 0).await, Ok(2 * 100 + 200));
    assert_eq!(stores[1].keys_page(None, 100).await.unwrap().0.len(), 51);
}

/// A process that is killed while it writes has every write that it was told of.
#[tokio::test]
async fn a_killed_process_loses_nothing_acknowledged() {
    let folder = folder();
    let path = folder.path().join("store.db");
    for round in 1..=3 {
        let mut process = child("write", &path);
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        // The test harness prints lines of its own.
        let mut acknowledged: Vec<String> = Vec::new();
        for line in lines.by_ref() {
            acknowledged.extend(line.strip_prefix("wrote ").map(str::to_owned));
            if acknowledged.len() == 40 * round {
                process.kill().unwrap();
                break;
            }
        }
        acknowledged.extend(lines.filter_map(|line| line.strip_prefix("wrote ").map(str::to_owned)));
        process.wait().unwrap();
        assert!(acknowledged.len() >= 40 * round, "{}", acknowledged.len());
        let store = Store::sqlite(&path, "l").unwrap();
        for key in &acknowledged {
            assert_eq!(store.get(key).await, Ok(Some(key.clone().into_bytes())), "{key}");
        }
        let last: i64 = acknowledged.last().unwrap().parse().unwrap();
        assert!(store.increment("counter", 0).await.unwrap() >= last);
        store.close().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_only_be_read_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let folder = folder();
    let path = folder.path().join("store.db");
    drop(sqlite(&path, &format!("{SPIN_TABLE}; INSERT INTO spin_key_value VALUES ('l', 'key', 'value')")));
    let permit = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    permit(&path, 0o444);
    permit(folder.path(), 0o555);
    let mut command = child_command("read", &path);
    // Permissions do not bind root: there, somebody else tries, with a copy of this program that is theirs to run.
    let copy = self::folder();
    if std::fs::File::options().append(true).open(&path).is_ok() {
        permit(copy.path(), 0o755);
        let program = copy.path().join("test");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        permit(&program, 0o755);
        command = child_command_of(&program, "read", &path);
        command.uid(65534).gid(65534).current_dir("/");
    }
    let output = command.output().unwrap();
    permit(folder.path(), 0o755);
    let output = String::from_utf8_lossy(&output.stdout);
    let expected =
        format!("read Ok(Some([118, 97, 108, 117, 101])), the store {} is read-only", path.display());
    assert!(output.contains(&expected), "{output}");
}

/// Not a test: what the processes do that the tests above start from this same program.
#[tokio::test]
async fn child_process() {
    let (Ok(task), Some(path)) = (std::env::var("STORE_TEST_TASK"), std::env::var_os("STORE_TEST_PATH"))
    else {
        return;
    };
    let store = Store::sqlite(Path::new(&path), "l").unwrap();
    match task.as_str() {
        "count" => {
            for _ in 0..200 {
                store.increment("counter", 1).await.unwrap();
            }
        }
        "write" => {
            for number in store.increment("counter", 0).await.unwrap().. {
                let key = number.to_string();
                let value = key.clone().into_bytes();
                let (set, counted) = tokio::join!(store.set(&key, value), store.increment("counter", 1));
                set.unwrap();
                counted.unwrap();
                println!("\nwrote {key}");
            }
        }
        "read" => {
            let read = store.get("key").await;
            println!("\nread {read:?}, {}", store.set("key", Vec::new()).await.unwrap_err());
        }
        task => panic!("{task}"),
    }
}

fn child(task: &str, path: &Path) -> Process {
    Process(child_command(task, path).spawn().unwrap())
}

fn child_command(task: &str, path: &Path) -> Command {
    child_command_of(&std::env::current_exe().unwrap(), task, path)
}

fn child_command_of(program: &Path, task: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    let name = format!("{}::child_process", module_path!().split_once("::").unwrap().1);
    command.args([&name, "--exact", "--nocapture"]);
    command.env("STORE_TEST_TASK", task).env("STORE_TEST_PATH", path).stdout(Stdio::piped());
    command
}

/// A process that does not outlive its test.
struct Process(Child);

impl std::ops::Deref for Process {
    type Target = Child;
    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

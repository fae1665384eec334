//! Which label the rows of a store carry, and how they get another one.
//!
//! Spin keeps each label's rows apart, so a store that is linked under a new label has to have its rows under that label
//! before the link is written. Nobody reads the new label in this file yet, so that is one invisible transaction; the
//! link itself is then one replaced file. Killed in between, the store is as before: unlinked, with the same entries.
//!
//! Requests that are in flight under the former label still read and write its rows. Therefore these stay for a while,
//! and triggers repeat every late write under the new label, in the writer's own transaction, whatever program writes.
//!
//! Two small tables, which Spin does not look at, hold the store's own notes: `ab_label` the label its rows carry and
//! the former ones, `ab_linked_from` configuration files elsewhere that link it. The files alone say what is linked.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use time::OffsetDateTime;

use super::SqliteStore;
use crate::workspace::durable::crash_point;

/// How long the rows of a former label stay: longer than any request.
const GRACE_SECONDS: i64 = 600;

const NOTES: &str = "
CREATE TABLE IF NOT EXISTS ab_label (label TEXT PRIMARY KEY, retired_at INTEGER);
CREATE TABLE IF NOT EXISTS ab_linked_from (config TEXT PRIMARY KEY);
";

const REPEAT_LATE_WRITES: &str = "
CREATE TRIGGER IF NOT EXISTS ab_late_insert AFTER INSERT ON spin_key_value
WHEN NEW.store IN (SELECT label FROM ab_label WHERE retired_at IS NOT NULL) BEGIN
    INSERT INTO spin_key_value (store, key, value)
    SELECT label, NEW.key, NEW.value FROM ab_label WHERE retired_at IS NULL
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value;
END;
CREATE TRIGGER IF NOT EXISTS ab_late_update AFTER UPDATE ON spin_key_value
WHEN NEW.store IN (SELECT label FROM ab_label WHERE retired_at IS NOT NULL) BEGIN
    INSERT INTO spin_key_value (store, key, value)
    SELECT label, NEW.key, NEW.value FROM ab_label WHERE retired_at IS NULL
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value;
END;
CREATE TRIGGER IF NOT EXISTS ab_late_delete AFTER DELETE ON spin_key_value
WHEN OLD.store IN (SELECT label FROM ab_label WHERE retired_at IS NOT NULL) BEGIN
    DELETE FROM spin_key_value
    WHERE store = (SELECT label FROM ab_label WHERE retired_at IS NULL) AND key = OLD.key;
END;
";

const STOP_REPEATING: &str = "
DROP TRIGGER IF EXISTS ab_late_insert;
DROP TRIGGER IF EXISTS ab_late_update;
DROP TRIGGER IF EXISTS ab_late_delete;
";

/// Which label the rows of a store carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Partition {
    /// There are no rows, and it was never linked.
    None,
    /// This one.
    Label(String),
    /// Several, and nothing says which is the store's: another program wrote them.
    Several(Vec<String>),
}

impl SqliteStore {
    /// Which label the rows carry.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn partition(&self) -> anyhow::Result<Partition> {
        partition(&self.connection).map_err(|error| self.explain(error))
    }

    /// Whether any row carries `label`.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn has_rows(&self, label: &str) -> anyhow::Result<bool> {
        has_rows(&self.connection, label).map_err(|error| self.explain(error))
    }

    /// Makes the rows carry `label`, in one transaction. `linked_from` is a configuration file elsewhere that is about to
    /// link the store.
    ///
    /// # Errors
    ///
    /// The file cannot be written; it is as it was.
    pub(crate) fn adopt(&mut self, label: &str, linked_from: Option<&Path>) -> anyhow::Result<()> {
        self.change(|connection, now| {
            connection.execute_batch(NOTES)?;
            sweep(connection, now)?;
            if let Some(config) = linked_from {
                connection.execute(
                    "INSERT OR IGNORE INTO ab_linked_from VALUES (?1)",
                    [config.to_string_lossy()],
                )?;
            }
            match partition(connection)? {
                Partition::Label(former) if former != label => relabel(connection, &former, label, now)?,
                _ => {
                    connection.execute("INSERT OR IGNORE INTO ab_label VALUES (?1, NULL)", [label])?;
                }
            }
            Ok(())
        })
    }

    /// Notes that the rows carry `label`, and that it is about to be unlinked.
    ///
    /// # Errors
    ///
    /// The file cannot be written; it is as it was.
    pub(crate) fn note_label(&mut self, label: &str) -> anyhow::Result<()> {
        self.change(|connection, _| {
            connection.execute_batch(NOTES)?;
            if matches!(partition(connection)?, Partition::Label(noted) if noted != label)
                && !has_rows(connection, label)?
            {
                return Ok(());
            }
            connection.execute("DELETE FROM ab_label WHERE retired_at IS NULL", [])?;
            connection.execute("INSERT OR REPLACE INTO ab_label VALUES (?1, NULL)", [label]).map(drop)
        })
    }

    /// The configuration files elsewhere that linked the store at some time.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn linked_from(&self) -> anyhow::Result<Vec<PathBuf>> {
        let read = || {
            if !has_table(&self.connection, "ab_linked_from")? {
                return Ok(Vec::new());
            }
            let mut select = self.connection.prepare("SELECT config FROM ab_linked_from ORDER BY config")?;
            select.query_map([], |row| Ok(PathBuf::from(row.get::<_, String>(0)?)))?.collect()
        };
        read().map_err(|error| self.explain(error))
    }

    fn change(
        &mut self,
        change: impl FnOnce(&Connection, i64) -> rusqlite::Result<()>,
    ) -> anyhow::Result<()> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let Self { connection, path, shown } = self;
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction, now)?;
            crash_point("adopt:uncommitted");
            transaction.commit()
        };
        run().map_err(|error| super::explain(shown, path, error))
    }
}

/// Copies the rows of `former` to `label` and retires `former`.
fn relabel(connection: &Connection, former: &str, label: &str, now: i64) -> rusqlite::Result<()> {
    // Rows that `label` had before it was retired here are copies that have aged; others were written by hand and stay.
    if connection.execute("DELETE FROM ab_label WHERE label = ?1", [label])? > 0 {
        connection.execute("DELETE FROM spin_key_value WHERE store = ?1", [label])?;
    }
    connection.execute("INSERT OR REPLACE INTO ab_label VALUES (?1, ?2)", params![former, now])?;
    connection.execute("INSERT INTO ab_label VALUES (?1, NULL)", [label])?;
    connection.execute(
        "INSERT OR REPLACE INTO spin_key_value (store, key, value) \
         SELECT ?2, key, value FROM spin_key_value WHERE store = ?1",
        [former, label],
    )?;
    connection.execute_batch(REPEAT_LATE_WRITES)
}

/// Removes the rows of labels that were retired long ago. All their writes were repeated, so nothing is lost.
fn sweep(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    let before = now - GRACE_SECONDS;
    let mut select = connection.prepare("SELECT label FROM ab_label WHERE retired_at < ?1")?;
    let expired: Vec<String> = select.query_map([before], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for label in expired {
        // In this order: otherwise the trigger would repeat the removal.
        connection.execute("DELETE FROM ab_label WHERE label = ?1", [&label])?;
        connection.execute("DELETE FROM spin_key_value WHERE store = ?1", [&label])?;
    }
    let retired: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM ab_label WHERE retired_at IS NOT NULL)",
        [],
        |row| row.get(0),
    )?;
    if retired { Ok(()) } else { connection.execute_batch(STOP_REPEATING) }
}

fn partition(connection: &Connection) -> rusqlite::Result<Partition> {
    if has_table(connection, "ab_label")? {
        let noted = connection
            .query_row("SELECT label FROM ab_label WHERE retired_at IS NULL", [], |row| row.get(0))
            .optional()?;
        if let Some(label) = noted {
            return Ok(Partition::Label(label));
        }
    }
    // The next label after the last one seen: as many look-ups in the index as there are labels, whatever the rows.
    let mut labels: Vec<String> = Vec::new();
    let mut next =
        connection.prepare("SELECT min(store) FROM spin_key_value WHERE ?1 IS NULL OR store > ?1")?;
    while let Some(label) = next.query_row([labels.last()], |row| row.get::<_, Option<String>>(0))? {
        labels.push(label);
    }
    Ok(match labels.len() {
        0 => Partition::None,
        1 => Partition::Label(labels.remove(0)),
        _ => Partition::Several(labels),
    })
}

fn has_rows(connection: &Connection, label: &str) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM spin_key_value WHERE store = ?1)", [label], |row| row.get(0))
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)", [name], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::Entries as _;

    struct Fixture {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    impl Fixture {
        fn new(rows: &[(&str, &str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.db");
            SqliteStore::initialise(&path).unwrap();
            let fixture = Self { _folder: folder, path };
            for (label, key, value) in rows {
                fixture.write(label, key, value);
            }
            fixture
        }

        fn store(&self) -> SqliteStore {
            SqliteStore::open(&self.path, "x").unwrap()
        }

        fn write(&self, label: &str, key: &str, value: &str) {
            self.store()
                .entries(label.to_owned())
                .set(&[(key.to_owned(), value.as_bytes().to_vec())])
                .unwrap();
        }

        fn delete(&self, label: &str, key: &str) {
            let delete = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
            self.store().connection.execute(delete, [label, key]).unwrap();
        }

        fn adopt(&self, label: &str) {
            self.store().adopt(label, None).unwrap();
        }

        fn rows(&self, label: &str) -> String {
            let mut rows = Vec::new();
            let mut entries = self.store().entries(label.to_owned());
            entries
                .for_each(&mut |key, value| {
                    rows.push(format!("{key}={}", String::from_utf8_lossy(value)));
                    Ok(())
                })
                .unwrap();
            rows.join(" ")
        }

        /// Lets the retired labels be older than any request.
        fn age(&self) {
            self.store()
                .connection
                .execute("UPDATE ab_label SET retired_at = 1 WHERE retired_at > 0", [])
                .unwrap();
        }
    }

    #[test]
    fn the_label_of_the_rows() {
        assert_eq!(Fixture::new(&[]).store().partition().unwrap(), Partition::None);
        let one = Fixture::new(&[("a", "k", "1"), ("a", "l", "2")]);
        assert_eq!(one.store().partition().unwrap(), Partition::Label("a".to_owned()));
        let several = Fixture::new(&[("b", "k", "1"), ("", "k", "1"), ("a", "l", "2")]);
        let labels = ["", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(several.store().partition().unwrap(), Partition::Several(labels));
        let empty = Fixture::new(&[]);
        empty.adopt("a");
        assert_eq!(empty.store().partition().unwrap(), Partition::Label("a".to_owned()));
    }

    #[test]
    fn writes_under_a_former_label_are_repeated() {
        let store = Fixture::new(&[("a", "old", "1"), ("a", "gone", "2")]);
        store.adopt("b");
        assert_eq!(store.rows("a"), "gone=2 old=1", "requests in flight still read their rows");
        store.write("a", "new", "3");
        store.write("a", "old", "4");
        store.delete("a", "gone");
        assert_eq!(store.rows("b"), "new=3 old=4");
        store.write("b", "mine", "5");
        assert_eq!(store.rows("a"), "new=3 old=4");
    }

    #[test]
    fn a_former_label_goes_after_a_while_and_nothing_else_does() {
        let store = Fixture::new(&[("a", "k", "1")]);
        store.adopt("b");
        store.age();
        store.adopt("b");
        assert_eq!((store.rows("a"), store.rows("b")), (String::new(), "k=1".to_owned()));
        store.write("a", "by hand", "2");
        assert_eq!(store.rows("b"), "k=1", "nothing is repeated any more");
    }

    #[test]
    fn there_and_back_again() {
        let store = Fixture::new(&[("a", "k", "1")]);
        store.adopt("b");
        store.write("b", "k", "2");
        store.delete("b", "k");
        store.write("b", "l", "3");
        store.adopt("a");
        assert_eq!(store.rows("a"), "l=3", "what was deleted meanwhile does not come back");
        store.write("b", "late", "4");
        assert_eq!(store.rows("a"), "l=3 late=4");
        store.adopt("c");
        store.write("a", "later", "5");
        store.write("b", "last", "6");
        assert_eq!(store.rows("c"), "l=3 last=6 late=4 later=5");
        store.age();
        store.adopt("c");
        assert_eq!(store.rows("c"), "l=3 last=6 late=4 later=5");
        assert_eq!((store.rows("a"), store.rows("b")), (String::new(), String::new()));
    }

    #[test]
    fn rows_that_another_program_wrote_under_the_new_label_stay() {
        let store = Fixture::new(&[]);
        store.adopt("a");
        store.write("a", "k", "1");
        store.write("b", "k", "x");
        store.write("b", "l", "y");
        store.adopt("b");
        assert_eq!(store.rows("b"), "k=1 l=y");
    }
}

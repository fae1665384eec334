//! Which label the rows of a store carry, and how they get another one.
//!
//! Spin keeps each label's rows apart, so a store that is linked under a new label has to have its rows under that label
//! before the link is written. Nobody reads the new label in this file yet, so that is one invisible transaction; the
//! link itself is then one replaced file. Killed in between, the store is as before: unlinked, with the same entries.
//!
//! Requests that are in flight under the former label still read and write its rows, and so does a Spin process until it is started
//! again. Therefore these stay, and triggers repeat every write under one of the store's labels under the others, in the writer's own
//! transaction, whatever program writes. So all of them see the same entries, and a late answer meets a vote that was given meanwhile
//! instead of replacing it. The rows of a former label go when the store gets another label while no process has it open, and that
//! label is older than any request.
//!
//! Two small tables, which Spin does not look at, hold the store's own notes: `ab_label` the label its rows carry and
//! the former ones, `ab_linked_from` configuration files elsewhere that link it. The files alone say what is linked.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::file::{File, PATIENCE, busy, write_ahead};
use crate::{StoreError, crash_point};

/// How long the rows of a former label stay at least: longer than any request.
const GRACE_SECONDS: i64 = 600;

const NOTES: &str = "
CREATE TABLE IF NOT EXISTS ab_label (label TEXT PRIMARY KEY, retired_at INTEGER);
CREATE TABLE IF NOT EXISTS ab_linked_from (config TEXT PRIMARY KEY);
";

/// What is written under one of the store's labels is written under the others. A trigger that runs is not started again by what it
/// does, as `recursive_triggers` is off; that only what differs is written ends the two that start each other.
const REPEAT_WRITES: &str = "
CREATE TRIGGER ab_repeat_insert AFTER INSERT ON spin_key_value
WHEN NEW.store IN (SELECT label FROM ab_label) BEGIN
    INSERT INTO spin_key_value (store, key, value)
    SELECT label, NEW.key, NEW.value FROM ab_label WHERE label <> NEW.store
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value;
END;
CREATE TRIGGER ab_repeat_update AFTER UPDATE ON spin_key_value
WHEN NEW.store IN (SELECT label FROM ab_label) BEGIN
    INSERT INTO spin_key_value (store, key, value)
    SELECT label, NEW.key, NEW.value FROM ab_label WHERE label <> NEW.store
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value;
END;
CREATE TRIGGER ab_repeat_delete AFTER DELETE ON spin_key_value
WHEN OLD.store IN (SELECT label FROM ab_label) BEGIN
    DELETE FROM spin_key_value
    WHERE key = OLD.key AND store IN (SELECT label FROM ab_label WHERE label <> OLD.store);
END;
";

/// With those of earlier versions, which repeated only what came late.
const STOP_REPEATING: &str = "
DROP TRIGGER IF EXISTS ab_repeat_insert;
DROP TRIGGER IF EXISTS ab_repeat_update;
DROP TRIGGER IF EXISTS ab_repeat_delete;
DROP TRIGGER IF EXISTS ab_late_insert;
DROP TRIGGER IF EXISTS ab_late_update;
DROP TRIGGER IF EXISTS ab_late_delete;
";

/// Which label the rows of a store carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partition {
    /// There are no rows, and it was never linked.
    None,
    /// This one.
    Label(String),
    /// Several, and nothing says which is the store's: another program wrote them.
    Several(Vec<String>),
}

/// An `SQLite` store as its administrator sees it: with every label's rows. Every call blocks while another process
/// writes to the file, for up to 5 s.
pub struct Labels {
    file: File,
    connection: Connection,
}

impl Labels {
    /// Opens the file at `path`, which becomes an empty store if there is nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Store::open`](crate::Store::open).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::new(path, "")?;
        let connection = file.open()?;
        Ok(Self { file, connection })
    }

    /// Which label the rows carry.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn partition(&self) -> Result<Partition, StoreError> {
        partition(&self.connection).map_err(|error| self.file.error(&error))
    }

    /// Whether any row carries `label`.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn has_rows(&self, label: &str) -> Result<bool, StoreError> {
        has_rows(&self.connection, label).map_err(|error| self.file.error(&error))
    }

    /// Makes the rows carry `label`, in one transaction. `linked_from` is a configuration file elsewhere that is about to
    /// link the store.
    ///
    /// # Errors
    ///
    /// The file cannot be written; it is as it was.
    pub fn adopt(&mut self, label: &str, linked_from: Option<&Path>) -> Result<(), StoreError> {
        let is_unused = self.is_unused().map_err(|error| self.file.error(&error))?;
        self.change(|connection, now| {
            connection.execute_batch(NOTES)?;
            if is_unused {
                sweep(connection, now)?;
            }
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
    pub fn note(&mut self, label: &str) -> Result<(), StoreError> {
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
    pub fn linked_from(&self) -> Result<Vec<PathBuf>, StoreError> {
        let read = || {
            if !has_table(&self.connection, "ab_linked_from")? {
                return Ok(Vec::new());
            }
            let mut select = self.connection.prepare("SELECT config FROM ab_linked_from ORDER BY config")?;
            select.query_map([], |row| Ok(PathBuf::from(row.get::<_, String>(0)?)))?.collect()
        };
        read().map_err(|error| self.file.error(&error))
    }

    /// Whether no other connection has the file open: only then can it leave write-ahead mode. A file that cannot be in that mode does
    /// not tell.
    fn is_unused(&self) -> rusqlite::Result<bool> {
        let mode = |pragma: &str| self.connection.query_row(pragma, [], |row| row.get::<_, String>(0));
        if mode("PRAGMA journal_mode")? != "wal" {
            return Ok(false);
        }
        self.connection.busy_timeout(Duration::ZERO)?;
        let left = mode("PRAGMA journal_mode = DELETE");
        self.connection.busy_timeout(PATIENCE)?;
        match left {
            Ok(mode) if mode == "delete" => write_ahead(&self.connection).map(|()| true),
            Ok(_) => Ok(false),
            Err(error) if busy(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs `change`, given the time in seconds, in a transaction.
    fn change(
        &mut self,
        change: impl FnOnce(&Connection, i64) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let run = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction, now.cast_signed())?;
            crash_point("adopt:uncommitted");
            transaction.commit()
        };
        run().map_err(|error| self.file.error(&error))
    }
}

/// Where the file is, and nothing of what is in it.
impl std::fmt::Debug for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Labels").field("place", &self.file.place).finish_non_exhaustive()
    }
}

/// Copies the rows of `former` to `label` and retires `former`.
fn relabel(connection: &Connection, former: &str, label: &str, now: i64) -> rusqlite::Result<()> {
    // Rows that `label` had before it was retired here are copies; others were written by hand and stay.
    if connection.execute("DELETE FROM ab_label WHERE label = ?1", [label])? > 0 {
        connection.execute("DELETE FROM spin_key_value WHERE store = ?1", [label])?;
    }
    connection.execute("INSERT OR REPLACE INTO ab_label VALUES (?1, ?2)", params![former, now])?;
    connection.execute("INSERT INTO ab_label VALUES (?1, NULL)", [label])?;
    connection.execute_batch(STOP_REPEATING)?;
    connection.execute(
        "INSERT OR REPLACE INTO spin_key_value (store, key, value) \
         SELECT ?2, key, value FROM spin_key_value WHERE store = ?1",
        [former, label],
    )?;
    connection.execute_batch(REPEAT_WRITES)
}

/// Removes the rows of labels that were retired long ago and that nobody uses. All their writes were repeated, so nothing is lost.
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
mod tests;

//! `SQLite` files in Spin's format, as their administrator sees them: with every label's rows.

mod entries;
mod labels;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use self::labels::Partition;
use crate::terminal::failure;

/// The table that Spin makes.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS spin_key_value \
     (store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";

/// How long another process may hold a lock before a command gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open store file.
pub(crate) struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    shown: String,
}

impl SqliteStore {
    /// Makes an empty store of the empty file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn initialise(path: &Path) -> anyhow::Result<()> {
        let connection = Connection::open(path)?;
        connection.execute(SCHEMA, [])?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Opens the store at `path`, which messages call `shown`.
    ///
    /// # Errors
    ///
    /// There is no file; or it is locked, damaged, or not in Spin's format.
    pub(crate) fn open(path: &Path, shown: &str) -> anyhow::Result<Self> {
        if !path.exists() {
            return Err(failure(format!("Key value store \"{shown}\" does not exist")).into());
        }
        if path.is_dir() {
            return Err(failure(format!("Key value store \"{shown}\" is a folder, not a file")).into());
        }
        let empty = fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(PATIENCE)?;
            if empty {
                connection.execute(SCHEMA, [])?;
            }
            connection.prepare("SELECT store, key, value FROM spin_key_value LIMIT 0")?;
            Ok(connection)
        };
        let connection = open().map_err(|error| explain(shown, path, error))?;
        Ok(Self { connection, path: path.to_owned(), shown: shown.to_owned() })
    }

    /// Writes the log of recent changes into the file, removes it, and keeps every other process out until the returned
    /// value is dropped. Only then may the file be moved or removed: its log would stay behind otherwise.
    ///
    /// # Errors
    ///
    /// Another process has the store open.
    pub(crate) fn into_exclusive(self) -> anyhow::Result<Self> {
        let take = || {
            self.connection.busy_timeout(Duration::ZERO)?;
            self.connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
            self.connection.busy_timeout(PATIENCE)?;
            self.connection.execute_batch("BEGIN EXCLUSIVE")
        };
        match take() {
            Ok(()) => Ok(self),
            Err(error) if is_busy(&error) => {
                Err(failure(format!("Key value store \"{}\" is in use", self.shown))
                    .hint(
                        "stop the app that uses it, or unlink the store, and try again; nothing was changed",
                    )
                    .into())
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    fn explain(&self, error: rusqlite::Error) -> anyhow::Error {
        explain(&self.shown, &self.path, error)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Says what is wrong with a store's file, in words that lead on.
fn explain(shown: &str, path: &Path, error: rusqlite::Error) -> anyhow::Error {
    let store = format!("Key value store \"{shown}\"");
    let file = path.display();
    let format = || {
        failure(format!("{store} is an SQLite file, but not a key value store of Spin: {file}"))
            .hint("it needs the table spin_key_value (store, key, value); nothing was changed")
    };
    let failure = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            failure(format!("{store} is locked by another process: {file}"))
                .hint("wait until it has finished, or stop it; nothing was changed")
        }
        Some(ErrorCode::NotADatabase) => {
            failure(format!("{store} is not an SQLite file: {file}")).hint("nothing was changed")
        }
        Some(ErrorCode::DatabaseCorrupt) => failure(format!("{store} is damaged: {file}"))
            .hint("`sqlite3 FILE .recover` may save its entries; nothing was changed"),
        Some(ErrorCode::ReadOnly) => failure(format!("{store} is read-only: {file}"))
            .hint("make the file and its folder writable; nothing was changed"),
        Some(ErrorCode::CannotOpen) => failure(format!("{store} cannot be opened: {file}"))
            .hint("check the permissions of the file and its folder; nothing was changed"),
        _ if error.to_string().starts_with("no such") => format(),
        _ => return anyhow::Error::new(error).context(format!("{store}: {file}")),
    };
    failure.into()
}

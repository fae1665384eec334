//! Opening a store's file: what must be so before the first read or write.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::StoreError;

/// How long a lock of another process is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A write-ahead log that grew past this is cut back once its content has moved into the file.
const LOG_BYTES: i64 = 16 << 20;

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (store, key)
)";

/// Which rows of which file.
pub(super) struct File {
    path: PathBuf,
    /// The path as it was given, for messages.
    pub(super) place: String,
    /// What stands in the column `store`.
    pub(super) label: String,
}

impl File {
    pub(super) fn new(path: &Path, label: &str) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        // Absolute, so that SQLite cannot take it for a `file:` URI or `:memory:`.
        match std::path::absolute(path) {
            Ok(path) => Ok(Self { path, place, label: label.to_owned() }),
            Err(error) => Err(StoreError::Open { place, reason: error.to_string() }),
        }
    }

    /// Opens the file for writing and makes of it, or of nothing, a store in write-ahead mode.
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::Open {
                place: self.place.clone(),
                reason: format!("the folder {} cannot be made: {error}", folder.display()),
            })?;
        }
        let connection = self.connect(OpenFlags::SQLITE_OPEN_CREATE, PATIENCE).map_err(|e| self.error(&e))?;
        // Nothing is changed in a file before this has found it to be a store or empty.
        let empty = patiently(|| self.tables(&connection)).map_err(|error| self.error(&error))??;
        patiently(|| write_ahead(&connection)).map_err(|error| self.error(&error))?;
        if empty {
            connection.execute_batch(CREATE_TABLE).map_err(|error| self.error(&error))?;
        }
        Ok(connection)
    }

    /// Opens the file for reading. The connection could write: the first one after a crash has to tidy up the log.
    pub(super) fn open_reader(&self, patience: Duration) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::empty(), patience)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.place, PATIENCE.as_secs(), error)
    }

    fn connect(&self, flags: OpenFlags, patience: Duration) -> rusqlite::Result<Connection> {
        // SQLite itself falls back to reading only where the file cannot be written.
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(patience)?;
        Ok(connection)
    }

    /// Whether there is no table yet. The outer error is `SQLite`'s, the inner one says that this is not a store.
    fn tables(&self, connection: &Connection) -> rusqlite::Result<Result<bool, StoreError>> {
        let strings = |sql: &str| -> rusqlite::Result<Vec<String>> {
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        let tables = strings(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?;
        if tables.is_empty() {
            return Ok(Ok(true));
        }
        let found = if tables.iter().any(|table| table == "spin_key_value") {
            let columns = strings("SELECT name FROM pragma_table_info('spin_key_value') ORDER BY name")?;
            let primary_key =
                strings("SELECT name FROM pragma_table_info('spin_key_value') WHERE pk > 0 ORDER BY pk")?;
            if columns == ["key", "store", "value"] && primary_key == ["store", "key"] {
                return Ok(Ok(false));
            }
            format!(
                "its table spin_key_value has the columns {} and the primary key ({})",
                columns.join(", "),
                primary_key.join(", ")
            )
        } else {
            format!("its tables are {}", tables.join(", "))
        };
        Ok(Err(StoreError::NotAStore { place: self.place.clone(), found }))
    }
}

/// Switches the file to write-ahead mode, and a commit to waiting until the disk has it. A file system without shared
/// memory, or a file that may only be read, stays in the mode it has.
pub(super) fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
    match mode.as_ref().map_err(rusqlite::Error::sqlite_error_code) {
        Ok(()) | Err(Some(ErrorCode::ReadOnly)) => {}
        Err(_) => return mode,
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.query_row(&format!("PRAGMA journal_size_limit = {LOG_BYTES}"), [], |_| Ok(()))
}

/// Repeats `attempt` while the file is locked. `SQLite`'s own waiting does not cover a change of the journal mode, which
/// two processes that open a new store at once both want.
fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if busy(&error) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

/// Whether another connection holds a lock that was in the way.
pub(super) fn busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

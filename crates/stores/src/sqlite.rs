//! A store in an `SQLite` file, in Spin's format: the same file serves Spin, this runtime and the command line.
//!
//! The file is kept in write-ahead mode, in which a writer never makes a reader wait. A read takes some microseconds
//! and happens on the calling thread; a write waits for the disk and happens on a thread of the store's own.

mod exclusive;
mod file;
mod labels;
mod readers;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

pub use self::exclusive::Exclusive;
use self::file::{File, PATIENCE};
pub use self::labels::{Labels, Partition};
use self::readers::Readers;
use self::writer::Writer;
use crate::entries::Position;
use crate::{Cursor, Entry, StoreError};

const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
/// Two values in one step: a quarter faster than two statements in a transaction, and than `key IN (?2, ?3)`.
const GET_TWO: &str = "SELECT (SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2),
                              (SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?3)";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2)";
const FIRST_KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1 ORDER BY key LIMIT ?2";
const NEXT_KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1 AND key > ?3 ORDER BY key LIMIT ?2";
const FIRST_ENTRIES: &str = "SELECT key, value FROM spin_key_value WHERE store = ?1 ORDER BY key LIMIT ?2";
const NEXT_ENTRIES: &str =
    "SELECT key, value FROM spin_key_value WHERE store = ?1 AND key > ?3 ORDER BY key LIMIT ?2";
const ENTRIES: &str = "SELECT key, value FROM spin_key_value WHERE store = ?1 ORDER BY key";
const COUNT: &str = "SELECT count(*) FROM spin_key_value WHERE store = ?1";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                   ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
const SET_MISSING: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                           ON CONFLICT (store, key) DO NOTHING";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const CLEAR: &str = "DELETE FROM spin_key_value WHERE store = ?1";

/// The rows of one label in an `SQLite` file.
pub struct SqliteStore {
    // Dropped in this order, so that the writer's connection is the last and its thread tidies the file up.
    readers: Arc<Readers>,
    writer: Writer,
    file: Arc<File>,
}

impl SqliteStore {
    pub(super) fn open(path: &Path, label: &str) -> Result<Self, StoreError> {
        let file = Arc::new(File::new(path, label)?);
        let writer = Writer::start(file.open()?, Arc::clone(&file))?;
        Ok(Self { readers: Arc::new(Readers::new(Arc::clone(&file))), writer, file })
    }

    pub(super) fn place(&self) -> &str {
        &self.file.place
    }

    pub(super) async fn close(self) {
        drop(self.readers);
        self.writer.close().await;
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_owned();
        self.readers.read(move |connection, label| get(connection, label, &key)).await
    }

    pub(super) async fn get_many(
        &self,
        keys: &[String],
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, StoreError> {
        let asked = keys.to_vec();
        let values = self.readers.read(move |connection, label| match &asked[..] {
            [] => Ok(Vec::new()),
            [key] => Ok(vec![get(connection, label, key)?]),
            [first, second] => get_two(connection, label, first, second),
            keys => {
                // One transaction: the values are of one moment.
                let transaction = connection.unchecked_transaction()?;
                let values = keys.chunks(2).map(|chunk| match chunk {
                    [first, second] => get_two(&transaction, label, first, second),
                    single => single.iter().map(|key| get(&transaction, label, key)).collect(),
                });
                Ok(values.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
            }
        });
        Ok(keys.iter().cloned().zip(values.await?).collect())
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        let key = key.to_owned();
        let exists = move |connection: &Connection, label: &str| {
            connection.prepare_cached(EXISTS)?.query_row([label, &key], |row| row.get(0))
        };
        self.readers.read(exists).await
    }

    pub(super) async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.set_each(SET, entries).await
    }

    pub(super) async fn set_missing(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.set_each(SET_MISSING, entries).await
    }

    async fn set_each(&self, statement: &'static str, entries: Vec<Entry>) -> Result<(), StoreError> {
        let set = move |connection: &Connection, label: &str| {
            let mut statement = connection.prepare_cached(statement)?;
            entries
                .iter()
                .try_for_each(|(key, value)| statement.execute(params![label, key, value]).map(drop))
        };
        self.writer.write(set).await
    }

    pub(super) async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        let delete = move |connection: &Connection, label: &str| {
            let mut statement = connection.prepare_cached(DELETE)?;
            keys.iter().try_for_each(|key| statement.execute([label, key]).map(drop))
        };
        self.writer.write(delete).await
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let key = key.to_owned();
        let increment = move |connection: &Connection, label: &str| {
            let Some(old) = get(connection, label, &key)?.map_or(Some(0), |value| counter(&value)) else {
                return Ok(Err(StoreError::NotACounter { key: key.clone() }));
            };
            let Some(new) = old.checked_add(delta) else {
                return Ok(Err(StoreError::Overflow { key: key.clone() }));
            };
            connection.prepare_cached(SET)?.execute(params![label, key, new.to_le_bytes()])?;
            Ok(Ok(new))
        };
        self.writer.write(increment).await?
    }

    pub(super) async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let (key, expected) = (key.to_owned(), expected.map(<[u8]>::to_vec));
        let swap = move |connection: &Connection, label: &str| {
            let matches = get(connection, label, &key)? == expected;
            if matches {
                connection.prepare_cached(SET)?.execute(params![label, key, new])?;
            }
            Ok(matches)
        };
        self.writer.write(swap).await
    }

    pub(super) async fn keys_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        // One key at least, or a listing would not get on.
        let limit = limit.max(1);
        let after = cursor.and_then(Cursor::after);
        let list = move |connection: &Connection, label: &str| match &after {
            None => keys(connection.prepare_cached(FIRST_KEYS)?.query(params![label, rows(limit)])?),
            Some(after) => {
                keys(connection.prepare_cached(NEXT_KEYS)?.query(params![label, rows(limit), after])?)
            }
        };
        let page = self.readers.read(list).await?;
        let page = page.ok_or_else(|| StoreError::KeyNotText { place: self.file.place.clone() })?;
        let next = page.last().filter(|_| page.len() == limit);
        let next = next.map(|last| Cursor(Position::After(last.clone())));
        Ok((page, next))
    }

    pub(super) async fn entries_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Option<Cursor>), StoreError> {
        let limit = limit.max(1);
        let after = cursor.and_then(Cursor::after);
        let list = move |connection: &Connection, label: &str| match &after {
            None => entries(connection.prepare_cached(FIRST_ENTRIES)?.query(params![label, rows(limit)])?),
            Some(after) => {
                entries(connection.prepare_cached(NEXT_ENTRIES)?.query(params![label, rows(limit), after])?)
            }
        };
        let page = self.readers.read(list).await?;
        let page = page.ok_or_else(|| StoreError::KeyNotText { place: self.file.place.clone() })?;
        let next = page.last().filter(|_| page.len() == limit);
        let next = next.map(|(last, _)| Cursor(Position::After(last.clone())));
        let entries = page.into_iter().filter_map(|(key, value)| Some((key, value?)));
        Ok((entries.collect(), next))
    }

    /// Over a connection of its own, which in write-ahead mode is in nobody's way.
    pub(super) fn for_each<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| self.file.error(&error);
        let connection = self.file.open_reader(PATIENCE).map_err(failed)?;
        let mut select = connection.prepare(ENTRIES).map_err(failed)?;
        let mut rows = select.query([&self.file.label]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let key = row.get_ref(0).map_err(failed)?;
            let key = key.as_str().map_err(|_| StoreError::KeyNotText { place: self.file.place.clone() })?;
            if let Some(value) = bytes(row, 1).map_err(failed)? {
                visit(key, value)?;
            }
        }
        Ok(())
    }

    pub(super) async fn count(&self) -> Result<u64, StoreError> {
        let count = |connection: &Connection, label: &str| {
            connection.query_row(COUNT, [label], |row| row.get::<_, i64>(0))
        };
        Ok(self.readers.read(count).await?.unsigned_abs())
    }

    pub(super) async fn clear(&self) -> Result<(), StoreError> {
        self.writer.write(|connection, label| connection.execute(CLEAR, [label]).map(drop)).await
    }
}

/// A debugger or a log may see where the store is, and nothing of what is in it.
impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("place", &self.file.place)
            .field("label", &self.file.label)
            .finish_non_exhaustive()
    }
}

fn get(connection: &Connection, label: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let value = connection.prepare_cached(GET)?.query_row([label, key], |row| value(row, 0)).optional()?;
    Ok(value.flatten())
}

fn get_two(
    connection: &Connection,
    label: &str,
    first: &str,
    second: &str,
) -> rusqlite::Result<Vec<Option<Vec<u8>>>> {
    let mut statement = connection.prepare_cached(GET_TWO)?;
    statement.query_row([label, first, second], |row| Ok(vec![value(row, 0)?, value(row, 1)?]))
}

fn value(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Vec<u8>>> {
    Ok(bytes(row, column)?.map(<[u8]>::to_vec))
}

/// A value's bytes. Spin writes them as a blob; a person with the `sqlite3` tool writes text.
fn bytes<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r [u8]>> {
    Ok(row.get_ref(column)?.as_bytes_or_null()?)
}

/// The keys of `rows`; `None` if one of them is not UTF-8.
fn keys(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Option<Vec<String>>> {
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(key) = row.get_ref(0)?.as_str() else { return Ok(None) };
        keys.push(key.to_owned());
    }
    Ok(Some(keys))
}

/// A key, and its value unless that is `NULL`.
type Found = (String, Option<Vec<u8>>);

/// The entries of `rows`; `None` if a key is not UTF-8.
fn entries(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Option<Vec<Found>>> {
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(key) = row.get_ref(0)?.as_str() else { return Ok(None) };
        entries.push((key.to_owned(), value(row, 1)?));
    }
    Ok(Some(entries))
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn counter(value: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(value.try_into().ok()?))
}

#[cfg(test)]
mod tests;

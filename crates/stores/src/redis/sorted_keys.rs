//! Keys in their order, of which there may be more than fit into memory.

use std::env;

use rusqlite::{Connection, params};

use crate::StoreError;

/// Two tables: the keys as they were found, and each of them once, numbered in the order of their bytes.
///
/// What is lost with the process needs no journal. 8 MiB are kept in memory, of the tables and of what is being sorted.
const TABLES: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA cache_size = -8192;
    CREATE TABLE found (key BLOB);
    CREATE TABLE sorted (number INTEGER PRIMARY KEY, key BLOB);
    BEGIN";

/// Collects keys in any order, any of them several times, and gives each once, sorted by its bytes.
///
/// They are kept in a temporary database: `SQLite` writes a file where they are many, and removes it.
pub(super) struct SortedKeys {
    database: Connection,
    /// The number of the last key that was given.
    given: i64,
    /// How many were passed over so far because they are not UTF-8.
    pub(super) left_out: usize,
}

impl SortedKeys {
    /// None yet.
    pub(super) fn new() -> Result<Self, StoreError> {
        let open = || {
            let database = Connection::open("")?;
            database.execute_batch(TABLES)?;
            Ok(Self { database, given: 0, left_out: 0 })
        };
        open().map_err(|error| failed(&error))
    }

    /// Takes keys that were found.
    pub(super) fn add(&self, keys: &[Vec<u8>]) -> Result<(), StoreError> {
        let add = || {
            let mut insert = self.database.prepare_cached("INSERT INTO found VALUES (?1)")?;
            keys.iter().try_for_each(|key| insert.execute([key]).map(drop))
        };
        add().map_err(|error| failed(&error))
    }

    /// Sorts them. There are no more to come.
    pub(super) fn sort(&self) -> Result<(), StoreError> {
        let sort = "INSERT INTO sorted (key) SELECT key FROM found GROUP BY key";
        self.database.execute(sort, []).map_err(|error| failed(&error)).map(drop)
    }

    /// The next of the sorted keys, at most `limit` of them; `None` if all were given.
    pub(super) fn page(&mut self, limit: u32) -> Result<Option<Vec<String>>, StoreError> {
        let page = self.next(limit).map_err(|error| failed(&error))?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.given = *last;
        let found = page.len();
        let page: Vec<_> = page.into_iter().filter_map(|(_, key)| String::from_utf8(key).ok()).collect();
        self.left_out += found - page.len();
        Ok(Some(page))
    }

    fn next(&self, limit: u32) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let select = "SELECT number, key FROM sorted WHERE number > ?1 ORDER BY number LIMIT ?2";
        let mut select = self.database.prepare_cached(select)?;
        select.query_map(params![self.given, limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

fn failed(error: &rusqlite::Error) -> StoreError {
    StoreError::Folder {
        action: "sort keys in",
        path: env::temp_dir().display().to_string(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_key_comes_once_and_in_order(
            keys in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\xc3\xa9".to_vec()), 0..4), 0..99),
            limit in 1_u32..9,
        ) {
            let mut sorted = SortedKeys::new().unwrap();
            keys.chunks(7).for_each(|keys| sorted.add(keys).unwrap());
            sorted.sort().unwrap();
            let mut given = Vec::new();
            while let Some(page) = sorted.page(limit).unwrap() {
                prop_assert!(page.len() <= limit as usize);
                given.extend(page);
            }
            let all = BTreeSet::from_iter(keys);
            let names: Vec<_> = all.iter().filter_map(|key| String::from_utf8(key.clone()).ok()).collect();
            prop_assert_eq!(sorted.left_out, all.len() - names.len());
            prop_assert_eq!(given, names);
        }
    }
}

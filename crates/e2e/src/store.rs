//! A store's file, in the format that Spin and all tools share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use crate::process::PATIENCE;

/// What visitors say would have been right, by each vote on a record, sorted. That of unknown origin is none of them.
pub fn votes_on(record: &Value) -> Vec<String> {
    let votes = record["votes"].as_object().into_iter().flatten();
    let mut votes: Vec<_> = votes.map(|(_, vote)| vote.as_str().unwrap().to_owned()).collect();
    votes.sort_unstable();
    votes
}

/// An `SQLite` file that holds stores, by the label under which an app opens each. It may be used while an app runs.
#[derive(Clone, Debug)]
pub struct StoreFile {
    path: PathBuf,
}

impl StoreFile {
    /// The file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All entries of a label.
    pub fn rows(&self, label: &str) -> BTreeMap<String, Vec<u8>> {
        let connection = self.open();
        let mut select = connection.prepare("SELECT key, value FROM spin_key_value WHERE store = ?").unwrap();
        let rows = select.query_map([label], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Sets entries of a label, all at once.
    pub fn set<'e>(&self, label: &str, entries: impl IntoIterator<Item = (&'e str, &'e [u8])>) {
        let mut connection = self.open();
        let transaction = connection.transaction().unwrap();
        {
            let mut insert =
                transaction.prepare("INSERT OR REPLACE INTO spin_key_value VALUES (?, ?, ?)").unwrap();
            for (key, value) in entries {
                insert.execute((label, key, value)).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn open(&self) -> Connection {
        std::fs::create_dir_all(self.path.parent().unwrap()).unwrap();
        let connection = Connection::open(&self.path).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS spin_key_value (
                   store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key)
                 );",
            )
            .unwrap();
        connection
    }
}

//! One label's rows: what an app sees of a store.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::SqliteStore;
use crate::stores::{Entries, Entry};

/// The rows of one label in a store.
pub(crate) struct SqliteEntries {
    store: SqliteStore,
    label: String,
}

impl SqliteStore {
    /// What an app that opens this store under `label` sees.
    pub(crate) fn entries(self, label: String) -> SqliteEntries {
        SqliteEntries { store: self, label }
    }
}

impl SqliteEntries {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> anyhow::Result<T> {
        read(&self.store.connection).map_err(|error| self.store.explain(error))
    }
}

impl Entries for SqliteEntries {
    fn get(&mut self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.read(|connection| {
            let mut select =
                connection.prepare("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
            select
                .query_row([self.label.as_str(), key], |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec()))
                .optional()
        })
    }

    fn set(&mut self, entries: &[Entry]) -> anyhow::Result<()> {
        let SqliteStore { connection, path, shown } = &mut self.store;
        let label = &self.label;
        let mut set = || {
            // Waits for its turn here; a transaction that begins by reading could be refused half-way.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut upsert = transaction.prepare(
                "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
            )?;
            for (key, value) in entries {
                upsert.execute(params![label, key, value])?;
                crate::workspace::durable::crash_point("set:row");
            }
            drop(upsert);
            transaction.commit()
        };
        set().map_err(|error| super::explain(shown, path, error))
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let explain = |error| self.store.explain(error);
        let mut select = self
            .store
            .connection
            .prepare("SELECT key, value FROM spin_key_value WHERE store = ?1 ORDER BY key")
            .map_err(explain)?;
        let mut rows = select.query([&self.label]).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            let (key, value) =
                (|| Ok((row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_bytes()?)))().map_err(explain)?;
            visit(key, value)?;
        }
        Ok(())
    }

    fn keys(&mut self) -> anyhow::Result<Vec<String>> {
        self.read(|connection| {
            let mut select =
                connection.prepare("SELECT key FROM spin_key_value WHERE store = ?1 ORDER BY key")?;
            select.query_map([&self.label], |row| row.get(0))?.collect()
        })
    }
}

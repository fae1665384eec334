//! A store that a command has open.

use anyhow::bail;
use experiment::counter;
use experiment::key_values::{Change, KeyValues};
use spin_app::StoreAddress;
use stores::{Entry, Store, StoreError};
use tokio::runtime::{self, Runtime};

/// How often a change is tried while others change the same value at the same time.
const ATTEMPTS: usize = 16;

/// The runtime's own store, for code that waits for each answer. It is closed when this is dropped, so that an `SQLite`
/// file has no log beside it when the command ends.
pub(crate) struct OpenStore {
    /// `None` once it is closed.
    store: Option<Store>,
    runtime: Runtime,
}

impl OpenStore {
    /// Opens the store at `address`, in an `SQLite` file the rows of `label`. A database is not asked for anything yet.
    ///
    /// # Errors
    ///
    /// The store cannot be opened, or is of a kind that only Spin can reach.
    pub(crate) fn open(address: &StoreAddress, label: &str) -> anyhow::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store: Some(Store::open(address, label)?), runtime })
    }

    /// Makes sure that the store answers.
    ///
    /// # Errors
    ///
    /// It does not.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.ask(async |store| store.exists("").await.map(drop))
    }

    /// The value of `key`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(async |store| store.get(key).await)
    }

    /// Sets all entries or, on an error, none.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn set(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.ask(async |store| store.set_many(entries).await)
    }

    /// Deletes all keys or, on an error, none.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.ask(async |store| store.delete_many(keys).await)
    }

    /// All keys, sorted by their bytes, and how many were left out because they are not text.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn keys(&self) -> Result<(Vec<String>, usize), StoreError> {
        self.ask(async |store| store.keys().await)
    }

    /// Visits all entries, sorted by the bytes of their keys, and gives how many were left out because the key is not
    /// text or the value no string. In an `SQLite` store they are those of one moment.
    ///
    /// # Errors
    ///
    /// The store cannot be read; or the first of `visit`.
    pub(crate) fn for_each(
        &self,
        visit: impl FnMut(&str, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<usize> {
        self.ask(async |store| store.for_each(visit).await)
    }

    /// Whether its counters are text.
    fn is_redis(&self) -> bool {
        matches!(self.store, Some(Store::Redis(_)))
    }

    /// What `question` gets from the store.
    ///
    /// # Errors
    ///
    /// Those of `question`.
    pub(crate) fn ask<T, E: From<StoreError>>(
        &self,
        question: impl AsyncFnOnce(&Store) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.store {
            Some(store) => self.runtime.block_on(question(store)),
            None => Err(StoreError::Closed { place: String::new() }.into()),
        }
    }
}

impl KeyValues for OpenStore {
    type Error = anyhow::Error;

    fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(Self::get(self, key)?)
    }

    fn get_many(&self, keys: &[String]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let values = self.ask(async |store| store.get_many(keys).await)?;
        Ok(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    fn set(&self, key: &str, value: Vec<u8>) -> anyhow::Result<()> {
        Ok(Self::set(self, vec![(key.to_owned(), value)])?)
    }

    fn delete(&self, keys: &[String]) -> anyhow::Result<()> {
        Self::delete(self, keys)?;
        Ok(())
    }

    fn change(&self, key: &str, change: Change<'_, anyhow::Error>) -> anyhow::Result<()> {
        for _ in 0..ATTEMPTS {
            let current = Self::get(self, key)?;
            let Some(value) = change(current.as_deref())? else { return Ok(()) };
            let swap = async |store: &Store| store.compare_and_swap(key, current.as_deref(), value).await;
            if self.ask(swap)? {
                return Ok(());
            }
        }
        bail!("the value of \"{key}\" keeps changing: try again")
    }

    /// One that was copied from a store of another kind as it was is converted first.
    fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> anyhow::Result<i64> {
        if let Some(known) = known {
            let converted = counter::read(known).map(|number| counter::value(number, self.is_redis()));
            if let Some(converted) = converted.filter(|converted| converted != known) {
                self.ask(async |store| store.compare_and_swap(key, Some(known), converted).await)?;
            }
        }
        Ok(self.ask(async |store| store.increment(key, change).await)?)
    }
}

impl Drop for OpenStore {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            self.runtime.block_on(store.close());
        }
    }
}

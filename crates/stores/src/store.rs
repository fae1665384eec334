//! An open store, on either backend. Values are bytes, keys are text; both may be empty.
//!
//! Every store can be used from any thread and any tokio runtime. Unless it says otherwise, no operation blocks the
//! thread that calls it for longer than a local read takes (some microseconds).

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use spin_app::StoreAddress;

use crate::{Cursor, Entry, RedisStore, SqliteStore, StoreError};

/// An open store; cheap to clone. Its `Display` is how a person would name it: a path, or a URL without its password.
#[derive(Clone, Debug)]
pub enum Store {
    /// An `SQLite` file in Spin's format.
    Sqlite(Arc<SqliteStore>),
    /// A Redis database.
    Redis(Arc<RedisStore>),
}

impl Store {
    /// Opens the store at `address`, in an `SQLite` file the rows of `label`.
    ///
    /// An `SQLite` file, its table and its parent folders are made where they do not exist. Blocks while the file is
    /// opened, which takes up to 5 s where another process holds a lock on it. A Redis database is connected to at the
    /// first use, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or made, is not an `SQLite` database, or holds something other than a store (it is
    /// then as it was); the URL is not one of a Redis database; or the store is of a kind that only Spin can reach.
    pub fn open(address: &StoreAddress, label: &str) -> Result<Self, StoreError> {
        match address {
            StoreAddress::Sqlite(path) => Self::sqlite(path, label),
            StoreAddress::Redis(url) => Self::redis(url),
            StoreAddress::Cloud(store) => Err(StoreError::NeedsSpin { kind: store.kind().to_owned() }),
            StoreAddress::Elsewhere(kind) => Err(StoreError::NeedsSpin { kind: kind.clone() }),
        }
    }

    pub(crate) fn sqlite(path: &Path, label: &str) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(SqliteStore::open(path, label)?)))
    }

    pub(crate) fn redis(url: &str) -> Result<Self, StoreError> {
        Ok(Self::Redis(Arc::new(RedisStore::new(url)?)))
    }

    /// The value of `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(store) => store.get(key).await,
            Self::Redis(store) => store.get(key).await,
        }
    }

    /// The value of each key, in the order asked for.
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Option<Vec<u8>>)>, StoreError> {
        match self {
            Self::Sqlite(store) => store.get_many(keys).await,
            Self::Redis(store) => store.get_many(keys).await,
        }
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.exists(key).await,
            Self::Redis(store) => store.exists(key).await,
        }
    }

    /// Sets one value. Once this has returned, the value outlives the process (in `SQLite` also a loss of power).
    pub async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.set_many(vec![(key.to_owned(), value)]).await
    }

    /// Sets all values or, on an error, none. The last of several values for one key counts.
    pub async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.set_many(entries).await,
            Self::Redis(store) => store.set_many(entries).await,
        }
    }

    /// Sets those values whose key has none yet: all of them or, on an error, none (in Redis, where memory ran out, some).
    /// Values that are there stay, also those written at the same moment.
    pub async fn set_missing(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.set_missing(entries).await,
            Self::Redis(store) => store.set_missing(entries).await,
        }
    }

    /// Deletes one key; one that does not exist is not an error.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.delete_many(&[key.to_owned()]).await
    }

    /// Deletes all keys or, on an error, none.
    pub async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.delete_many(keys).await,
            Self::Redis(store) => store.delete_many(keys).await,
        }
    }

    /// Adds `delta` to a counter, which is 0 where there is no value, and gives the new value: exact, however many do
    /// so at once.
    ///
    /// A counter is kept as Spin keeps it: 8 bytes, least significant first, in `SQLite`; decimal text in Redis.
    ///
    /// # Errors
    ///
    /// When the value is not a counter, or the sum does not fit; the value stays.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(store) => store.increment(key, delta).await,
            Self::Redis(store) => store.increment(key, delta).await,
        }
    }

    /// Sets `key` to `new` if its value is `expected` (`None`: if there is no value), and tells whether it did.
    pub async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Vec<u8>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.compare_and_swap(key, expected, new).await,
            Self::Redis(store) => store.compare_and_swap(key, expected, new).await,
        }
    }

    /// The keys from `cursor` on (`None`: from the start), and where the next page starts (`None`: there is none).
    ///
    /// Nothing is held between pages, and memory is bounded by the page. A key that is there throughout the listing
    /// is in it; one written or deleted meanwhile may be.
    ///
    /// `SQLite`: sorted, each key once, `limit` keys to a page. Redis: in no order, a key may come twice, a page holds
    /// about `limit` keys, and keys that are not UTF-8 are left out because a guest could not name them.
    pub async fn keys_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        match self {
            Self::Sqlite(store) => store.keys_page(cursor, limit).await,
            Self::Redis(store) => store.keys_page(cursor, limit).await,
        }
    }

    /// As [`keys_page`](Self::keys_page), with the values. Keys that hold no string are left out.
    pub async fn entries_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Option<Cursor>), StoreError> {
        match self {
            Self::Sqlite(store) => store.entries_page(cursor, limit).await,
            Self::Redis(store) => store.entries_page(cursor, limit).await,
        }
    }

    /// Whether [`keys_page`](Self::keys_page) may name a key twice: Redis does while it resizes.
    pub fn repeats_keys(&self) -> bool {
        matches!(self, Self::Redis(_))
    }

    /// All keys, sorted by their bytes, and how many were left out because they are not UTF-8.
    ///
    /// # Errors
    ///
    /// In `SQLite`, a key that is not UTF-8 is one.
    pub async fn keys(&self) -> Result<(Vec<String>, usize), StoreError> {
        match self {
            Self::Sqlite(store) => Ok((store.keys_page(None, usize::MAX).await?.0, 0)),
            Self::Redis(store) => store.keys().await,
        }
    }

    /// Visits all entries, sorted by the bytes of their keys. Gives how many were left out because the key is not UTF-8
    /// or the value no string.
    ///
    /// `SQLite`: the entries are those of one moment, and the thread is blocked until the last has been visited. Redis:
    /// an entry that is written or deleted meanwhile may be among them, and the keys are sorted in a temporary file, which blocks the
    /// thread as well.
    ///
    /// # Errors
    ///
    /// The first of `visit`; or as [`Store::keys`].
    pub async fn for_each<E: From<StoreError>>(
        &self,
        visit: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        match self {
            Self::Sqlite(store) => store.for_each(visit).map(|()| 0),
            Self::Redis(store) => store.for_each(visit).await,
        }
    }

    /// How many keys there are, of any kind.
    pub async fn count(&self) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.count().await,
            Self::Redis(store) => store.count().await,
        }
    }

    /// Deletes every key, of any kind.
    pub async fn clear(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.clear().await,
            Self::Redis(store) => store.clear().await,
        }
    }

    /// Lets go of the store. If this was the last clone of an `SQLite` store, returns once everything queued is written
    /// and the file is closed; a clone that is merely dropped leaves that to the store's own thread.
    pub async fn close(self) {
        if let Self::Sqlite(store) = self
            && let Some(store) = Arc::into_inner(store)
        {
            store.close().await;
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(store) => f.write_str(store.place()),
            Self::Redis(store) => f.write_str(store.place()),
        }
    }
}

//! Key-value stores: where a label leads. Values are bytes, keys are text; both may be empty.
//!
//! Every store can be used from any thread and any tokio runtime, and no operation blocks the thread that calls it
//! for longer than a local read takes (some microseconds).

mod error;
mod per_runtime;
mod redis;
mod sqlite;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use self::error::StoreError;
pub use self::per_runtime::PerRuntime;
pub use self::redis::RedisStore;
pub use self::sqlite::SqliteStore;

/// An open store; cheap to clone. Its `Display` is how a person would name it: a path, or a URL without its password.
#[derive(Clone, Debug)]
pub enum Store {
    /// An `SQLite` file in Spin's format.
    Sqlite(Arc<SqliteStore>),
    /// A Redis database.
    Redis(Arc<RedisStore>),
}

/// Where the next page of keys starts. It holds nothing of the store's and can be kept for any time.
#[derive(Clone, Debug)]
pub struct Cursor(Position);

#[derive(Clone, Debug)]
enum Position {
    /// After this key, in the order of the keys' bytes.
    After(String),
    /// Redis's own cursor.
    Scan(u64),
}

impl Store {
    /// Opens the rows of `label` in the `SQLite` file at `path`; file, table and parent folders are made where they do
    /// not exist.
    ///
    /// Blocks while the file is opened, which takes up to 5 s where another process holds a lock on it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or made, is not an `SQLite` database, or holds something other than a store;
    /// the file is then as it was.
    pub fn sqlite(path: &Path, label: &str) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(SqliteStore::open(path, label)?)))
    }

    /// A store in the Redis database at `url`, `redis://[user][:password@]host[:port][/database]`. Connects at the
    /// first use, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// When `url` is not such a URL.
    pub fn redis(url: &str) -> Result<Self, StoreError> {
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

    /// Sets all values or, on an error, none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.set_many(entries).await,
            Self::Redis(store) => store.set_many(entries).await,
        }
    }

    /// Deletes one key; one that does not exist is no error.
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
    /// When the value is no counter, or the sum does not fit; the value stays.
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

#[cfg(test)]
mod tests;

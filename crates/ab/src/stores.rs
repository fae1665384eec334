//! Stores: `SQLite` files in Spin's format, and Redis databases.

mod directory;
mod name;
mod redis;
mod sqlite;

pub(crate) use self::directory::Directory;
pub(crate) use self::name::StoreName;
pub(crate) use self::redis::RedisStore;
pub(crate) use self::sqlite::{Partition, SqliteStore};

/// A key and its value.
pub(crate) type Entry = (String, Vec<u8>);

/// What an app sees of a store: keys and values.
pub(crate) trait Entries: Send {
    /// The value of a key.
    fn get(&mut self, key: &str) -> anyhow::Result<Option<Vec<u8>>>;

    /// Sets all of them or, on any error, none; the last of several values for one key counts.
    fn set(&mut self, entries: &[Entry]) -> anyhow::Result<()>;

    /// Visits all entries, sorted by the bytes of their keys. In an `SQLite` store they are those of one moment.
    fn for_each(&mut self, visit: &mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<()>;

    /// All keys, sorted by their bytes.
    fn keys(&mut self) -> anyhow::Result<Vec<String>>;

    /// How many keys were left out because Spin could not give them to an app either.
    fn left_out(&self) -> usize {
        0
    }
}

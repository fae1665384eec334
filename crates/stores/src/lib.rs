//! Key-value stores: `SQLite` files in Spin's format, and Redis databases. The runtime gives them to components, the
//! command line reads, fills and administers them.

mod error;

// What is in a store: keys and values.
mod entries;
mod listing;
mod per_runtime;
mod redis;
mod sqlite;
mod store;

// The stores of an app, for whoever administers them.
mod crash_point;
mod directory;
mod name;

pub use self::crash_point::crash_point;
pub use self::directory::Directory;
pub use self::entries::{Cursor, Entry};
pub use self::error::StoreError;
pub use self::listing::Listing;
pub use self::name::StoreName;
pub use self::per_runtime::PerRuntime;
pub use self::redis::RedisStore;
pub use self::sqlite::{Exclusive, Labels, Partition, SqliteStore};
pub use self::store::Store;

#[cfg(test)]
mod tests;

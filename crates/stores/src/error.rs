//! What can go wrong with a store.

use rusqlite::ErrorCode;
use spin_app::NotACloudStore;

/// Why an operation on a store failed. `place` is the file's path, or the URL without its password; a key is never
/// part of a message unless it is the very thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file, or a folder above it, cannot be opened or made.
    #[error("cannot open the store {place}: {reason}")]
    Open {
        /// The store.
        place: String,
        /// Why.
        reason: String,
    },
    /// The file is something else.
    #[error("the store {place} is not an SQLite database, or it is encrypted")]
    NotADatabase {
        /// The store.
        place: String,
    },
    /// An `SQLite` database, but not one with a key-value store in it.
    #[error("the SQLite database {place} is not a key-value store: {found}")]
    NotAStore {
        /// The store.
        place: String,
        /// What is there instead.
        found: String,
    },
    /// `SQLite` found the file damaged.
    #[error("the store {place} is damaged: {reason}")]
    Damaged {
        /// The store.
        place: String,
        /// What `SQLite` says.
        reason: String,
    },
    /// Another process kept a lock on the file for longer than this one waits.
    #[error("the store {place} is locked by another process (waited {waited} s)")]
    Locked {
        /// The store.
        place: String,
        /// Seconds.
        waited: u64,
    },
    /// The file, its folder or its file system does not allow writing.
    #[error("the store {place} is read-only")]
    ReadOnly {
        /// The store.
        place: String,
    },
    /// Another process has the file open, and it has to be moved or removed.
    #[error("the store {place} is in use")]
    InUse {
        /// The store.
        place: String,
    },
    /// No space is left.
    #[error("the disk of the store {place} is full")]
    Full {
        /// The store.
        place: String,
    },
    /// Anything else that `SQLite` reports.
    #[error("the store {place} failed: {reason}")]
    Sqlite {
        /// The store.
        place: String,
        /// What `SQLite` says.
        reason: String,
    },
    /// The store is closing, or its runtime is.
    #[error("the store {place} is closed")]
    Closed {
        /// The store.
        place: String,
    },
    /// Not a URL of a Redis database. The URL itself is not repeated, for it may hold a password.
    #[error("the URL of the Redis store is not valid: {reason}")]
    Url {
        /// Which rule it breaks.
        reason: String,
    },
    /// Nobody answers at the address.
    #[error("cannot reach the Redis store {place}: {reason}")]
    Unreachable {
        /// The store.
        place: String,
        /// Why.
        reason: String,
    },
    /// The server accepts a connection and then says nothing.
    #[error("the Redis store {place} did not answer within {waited} s")]
    TimedOut {
        /// The store.
        place: String,
        /// Seconds.
        waited: u64,
    },
    /// The server requires a password and the URL has none.
    #[error("the Redis store {place} requires a password")]
    PasswordRequired {
        /// The store.
        place: String,
    },
    /// The server rejects the URL's user name or password.
    #[error("the Redis store {place} rejected the user name or password")]
    PasswordRejected {
        /// The store.
        place: String,
    },
    /// Anything else that the Redis server reports.
    #[error("the Redis store {place} failed: {reason}")]
    Redis {
        /// The store.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// A kind of store that is neither an `SQLite` file nor a Redis database.
    #[error("a key value store of the type {kind:?} needs Spin")]
    NeedsSpin {
        /// The type, as a runtime configuration names it.
        kind: String,
    },
    /// Not the name of a store.
    #[error("{name:?} is not a valid store name")]
    Name {
        /// What should have been one.
        name: String,
    },
    /// An address of a cloud's store that lacks something.
    #[error(transparent)]
    Cloud(#[from] NotACloudStore),
    /// Another store has the name, perhaps with other capitals.
    #[error("Key value store \"{name}\" already exists")]
    Exists {
        /// The name of the other store.
        name: String,
    },
    /// A file of the folder of stores cannot be read or changed.
    #[error("cannot {action} {path}: {reason}")]
    Folder {
        /// What was to be done with it.
        action: &'static str,
        /// The file, or the folder.
        path: String,
        /// Why.
        reason: String,
    },
    /// An increment of something that is not a counter.
    #[error("the value of {key:?} is not a counter")]
    NotACounter {
        /// The key.
        key: String,
    },
    /// An increment past the largest or smallest 64-bit integer.
    #[error("the counter {key:?} would overflow")]
    Overflow {
        /// The key.
        key: String,
    },
    /// A key in the file that is not UTF-8.
    #[error("the store {place} holds a key that is not text")]
    KeyNotText {
        /// The store.
        place: String,
    },
}

impl StoreError {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Open { .. } => "check the path, and that its folder is writable",
            Self::NotADatabase { .. } | Self::NotAStore { .. } => {
                "choose another file; one that does not exist yet becomes an empty store"
            }
            Self::Damaged { .. } => {
                "restore the file from a copy, or recover what it holds with `sqlite3 FILE .recover`"
            }
            Self::Locked { .. } => "stop the process that holds the lock, or try again",
            Self::InUse { .. } => "stop the app that uses it, or unlink the store, and try again",
            Self::Name { .. } => {
                "a name has 1 to 64 letters (a-z, A-Z), digits, hyphens and underscores, starts with a letter or a digit, \
                 and is not the reserved word \"default\""
            }
            Self::ReadOnly { .. } => "make the file and its folder writable",
            Self::Full { .. } => "free some space",
            Self::Exists { .. } => "use that store, or choose another name",
            Self::Url { .. } => "write redis://[user][:password@]host[:port][/database]",
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                "check that the server is running and that the URL's host and port are right"
            }
            Self::PasswordRequired { .. } => "put it into the URL: redis://:PASSWORD@host:port",
            Self::PasswordRejected { .. } => "check the user name and password in the URL",
            Self::Cloud(error) => error.hint(),
            Self::NeedsSpin { .. } => {
                "an app that runs on Spin reaches it; this program reaches SQLite files and Redis databases"
            }
            Self::NotACounter { .. } => "delete the key, or use another for counting",
            Self::KeyNotText { .. } => "delete the key with the program that wrote it",
            Self::Sqlite { .. }
            | Self::Closed { .. }
            | Self::Redis { .. }
            | Self::Overflow { .. }
            | Self::Folder { .. } => {
                return None;
            }
        })
    }

    /// What `error` means for the store in the file `place`, where locks are waited for `waited` seconds.
    pub(super) fn from_sqlite(place: &str, waited: u64, error: &rusqlite::Error) -> Self {
        let (place, reason) = (place.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { place },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { place, reason },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { place, waited },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { place },
            Some(ErrorCode::DiskFull) => Self::Full { place },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::Open { place, reason },
            _ => Self::Sqlite { place, reason },
        }
    }
}

//! A store as the explorer uses it: Spin's own interface for one key and for the stream of all keys, `wasi:keyvalue` for many.

use problem::Problem;
use spin_sdk::http::StatusCode;
use spin_sdk::key_value;
use spin_sdk::wit_bindgen::StreamResult;
use std::collections::HashMap;
use std::ops::ControlFlow;
use wasi_keyvalue::Bucket;

/// How many keys are read or written in one host call.
pub(crate) const BATCH: usize = 100;

/// How many keys are taken from the host's stream at once.
const KEYS_PER_READ: usize = 1024;

/// Why a store did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Error {
    /// No store is linked to the label.
    Unknown,
    /// The manifest does not grant the label.
    Denied,
    /// The host has too many stores open.
    Full,
    /// The answer would not fit into memory. The text says what to ask for instead.
    TooLarge(String),
    /// The store itself failed, which may pass.
    Failed(String),
}

impl Error {
    /// What a client is told, given the label under which the store was opened.
    pub(crate) fn problem(self, label: &str) -> Problem {
        match self {
            Self::Unknown => Problem::new(
                StatusCode::NOT_FOUND,
                format!("No store is linked to the label {label:?}. Link one in the runtime configuration."),
            ),
            Self::Denied => Problem::new(
                StatusCode::FORBIDDEN,
                format!(
                    "This component may not open the label {label:?}. Add it to the component's `key_value_stores` in \
                     spin.toml."
                ),
            ),
            Self::Full => Problem::unavailable("Too many stores are open at the same time. Try again."),
            Self::TooLarge(detail) => Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            Self::Failed(message) => {
                Problem::unavailable(format!("The store behind the label {label:?} failed: {message}"))
            }
        }
    }
}

/// Whether to go on after a key, or how the listing ends there.
pub(crate) type Seen = ControlFlow<Result<(), Error>>;

/// An open store.
pub(crate) struct Store {
    single: key_value::Store,
    label: String,
}

impl Store {
    /// Opens the store that the label is linked to.
    pub(crate) async fn open(label: &str) -> Result<Self, Error> {
        Ok(Self { single: key_value::Store::open(label).await?, label: label.to_owned() })
    }

    /// The value of a key, if there is one.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.single.get(key).await?)
    }

    /// Sets a key's value.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        Ok(self.single.set(key, value).await?)
    }

    /// Removes a key.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        Ok(self.single.delete(key).await?)
    }

    /// Shows every key, in no particular order, to `see`, until that breaks, with `Ok` if it has seen enough.
    pub(crate) async fn for_each_key(&self, mut see: impl FnMut(String) -> Seen) -> Result<(), Error> {
        let (mut stream, outcome) = self.single.get_keys().await.into_inner();
        let mut keys = Vec::with_capacity(KEYS_PER_READ);
        loop {
            let (status, read) = stream.read(keys).await;
            keys = read;
            for key in keys.drain(..) {
                if let ControlFlow::Break(end) = see(key) {
                    return end;
                }
            }
            if !matches!(status, StreamResult::Complete(_)) {
                break;
            }
        }
        Ok(outcome.await?)
    }

    /// The store for calls on many keys: at most [`BATCH`] belong in one.
    pub(crate) fn bucket(&self) -> Result<Bucket, Error> {
        Ok(Bucket::open(&self.label)?)
    }

    /// Replaces the value that `is_expected` accepts, and no other: `false` if the value is another, or has changed between the
    /// look and the write.
    pub(crate) fn replace(
        &self,
        key: &str,
        value: &[u8],
        is_expected: impl FnOnce(Option<&[u8]>) -> bool,
    ) -> Result<bool, Error> {
        let bucket = self.bucket()?;
        let swap = bucket.compare_and_swap(key)?;
        Ok(is_expected(swap.current()) && swap.replace(value, |_| false)?)
    }
}

/// The values of those keys that are there.
pub(crate) fn values(bucket: &Bucket, keys: &[String]) -> Result<HashMap<String, Vec<u8>>, Error> {
    Ok(bucket.get_many(keys)?.into_iter().collect())
}

impl From<key_value::Error> for Error {
    fn from(error: key_value::Error) -> Self {
        match error {
            key_value::Error::NoSuchStore => Self::Unknown,
            key_value::Error::AccessDenied => Self::Denied,
            key_value::Error::StoreTableFull => Self::Full,
            key_value::Error::Other(message) => Self::Failed(message),
        }
    }
}

impl From<wasi_keyvalue::Error> for Error {
    fn from(error: wasi_keyvalue::Error) -> Self {
        match error {
            wasi_keyvalue::Error::NoSuchStore => Self::Unknown,
            wasi_keyvalue::Error::AccessDenied => Self::Denied,
            wasi_keyvalue::Error::Other(message) => Self::Failed(message),
        }
    }
}

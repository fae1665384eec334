//! A store as the explorer uses it: Spin's interface for one key and for the stream of all, `wasi:keyvalue` for many.

use crate::batch::atomics::{self, Cas, CasError};
use crate::batch::{batch, store};
use problem::Problem;
use spin_sdk::http::StatusCode;
use spin_sdk::key_value;
use spin_sdk::wit_bindgen::StreamResult;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// How many keys are asked for, and given, in one host call.
pub(crate) const BATCH: usize = 100;

/// How many keys are taken from the host's stream at once.
const KEYS_PER_READ: usize = 1024;

/// What a store answers instead of what it was asked for.
#[derive(Debug)]
pub(crate) enum Error {
    /// No store is linked to the label.
    Unknown,
    /// The manifest does not grant the label.
    Denied,
    /// The host has too many stores open.
    Full,
    /// The answer would not fit into memory; the text says what to ask for instead.
    TooLarge(String),
    /// The store itself failed.
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
            Self::Full => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many stores are open at the same time. Try again.",
            ),
            Self::TooLarge(detail) => Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            Self::Failed(message) => {
                Problem::internal(format!("The store behind the label {label:?} failed: {message}"))
            }
        }
    }
}

/// Whether to go on after a key, or how the listing ends with it.
pub(crate) type Seen = ControlFlow<Result<(), Error>>;

/// An open store.
pub(crate) struct Store {
    single: key_value::Store,
    label: String,
}

impl Store {
    /// Opens the store that the label means.
    pub(crate) async fn open(label: &str) -> Result<Self, Error> {
        Ok(Self { single: key_value::Store::open(label).await?, label: label.to_owned() })
    }

    /// The value of a key, where there is one.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.single.get(key).await?)
    }

    /// Whether the key is there.
    pub(crate) async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.single.exists(key).await?)
    }

    /// Sets a key's value.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        Ok(self.single.set(key, value).await?)
    }

    /// Removes a key.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        Ok(self.single.delete(key).await?)
    }

    /// Shows every key, in no particular order, to `see`, until it breaks off: with success where it has seen enough.
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

    /// The store for calls on many keys.
    pub(crate) fn bucket(&self) -> Result<Bucket, Error> {
        Ok(Bucket(store::open(&self.label)?))
    }

    /// Replaces the value that `is_expected` knows, and no other: `false` where the value is another, or has changed
    /// between the look and the write.
    ///
    /// Spin's Redis stores (4.1) say of every swap that it failed: whether the value is there now tells.
    pub(crate) fn replace(
        &self,
        key: &str,
        value: &[u8],
        is_expected: impl FnOnce(Option<&[u8]>) -> bool,
    ) -> Result<bool, Error> {
        let bucket = store::open(&self.label)?;
        let cas = Cas::new(&bucket, key)?;
        if !is_expected(cas.current()?.as_deref()) {
            return Ok(false);
        }
        match atomics::swap(cas, value) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) => Ok(bucket.get(key)?.as_deref() == Some(value)),
            Err(CasError::StoreError(error)) => Err(error.into()),
        }
    }
}

/// An open store for calls on many keys: at most [`BATCH`] belong in one.
pub(crate) struct Bucket(store::Bucket);

impl Bucket {
    /// The values of those keys that are there. One host call; where that fails, one more for each key.
    ///
    /// Spin's Redis stores (4.1) ask the server for several keys with `KEYS`, which takes a single pattern: with two keys or
    /// more it fails, and with one it gives no value.
    pub(crate) fn get_many(&self, keys: &[String]) -> Result<HashMap<String, Vec<u8>>, Error> {
        let found = match keys {
            [_, _, ..] => batch::get_many(&self.0, keys).ok(),
            _ => None,
        };
        let found = match found {
            Some(found) => found,
            None => {
                keys.iter().map(|key| Ok((key.clone(), self.0.get(key)?))).collect::<Result<_, Error>>()?
            }
        };
        Ok(found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// Sets many values, all of them or none where the store can.
    pub(crate) fn set_many(&self, entries: &[(String, Vec<u8>)]) -> Result<(), Error> {
        Ok(batch::set_many(&self.0, entries)?)
    }

    /// Removes many keys.
    pub(crate) fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        Ok(batch::delete_many(&self.0, keys)?)
    }
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

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSuchStore => Self::Unknown,
            store::Error::AccessDenied => Self::Denied,
            store::Error::Other(message) => Self::Failed(message),
        }
    }
}

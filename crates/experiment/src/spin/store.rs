//! A variant's store, open for one request.

use std::borrow::Cow;

use serde_json::Error as JsonError;
use thiserror::Error;
use wasi_keyvalue::Bucket;

use crate::{
    journal::counter,
    key::Key,
    prompt::PROMPT_KEY,
    record::{Answer, Record},
};

/// A variant's store, open for one request.
///
/// A label can be linked to another store while an app runs, so a store is opened for each request and kept no longer. While it
/// is open it stays the same: a record is written where the prompt was read.
pub struct Store<'l> {
    pub(super) label: Cow<'l, str>,
    bucket: Bucket,
}

/// How often a change is tried while others change the same record at the same time.
const ATTEMPTS: usize = 16;

/// The values that a request needs, as the store holds them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StoredValues {
    /// The value under [`PROMPT_KEY`]: for [`Prompt::from_store`](crate::Prompt::from_store).
    pub prompt: Option<Vec<u8>>,
    /// The value under the sentence's key: for [`Record::from_json`].
    pub record: Option<Vec<u8>>,
}

/// A record that was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed<A> {
    /// What it replaced, if that was a record.
    pub before: Option<Record<A>>,
    /// What the store holds now.
    pub after: Record<A>,
}

impl<'l> Store<'l> {
    /// Opens the store that `label` is linked to. One host call.
    pub fn open(label: impl Into<Cow<'l, str>>) -> Result<Self, StoreError> {
        let label = label.into();
        match Bucket::open(&label) {
            Ok(bucket) => Ok(Self { label, bucket }),
            Err(error) => Err(StoreError::new(&label, error)),
        }
    }

    /// Reads the prompt and a sentence's record together. One host call; three on Spin with Redis.
    pub fn read(&self, key: &Key) -> Result<StoredValues, StoreError> {
        let keys = [PROMPT_KEY.to_owned(), key.as_str().to_owned()];
        let mut stored = StoredValues::default();
        for (name, value) in self.read_many(&keys)? {
            if name == PROMPT_KEY {
                stored.prompt = Some(value);
            } else if name == key.as_str() {
                stored.record = Some(value);
            }
        }
        Ok(stored)
    }

    /// Reads the prompt alone. One host call.
    pub fn read_prompt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_one(PROMPT_KEY)
    }

    /// Replaces the record of a sentence, never another value, but keeps what a person said about the sentence, as the store has it: that may have changed
    /// while the model was asked. Three host calls.
    pub fn write<A: Answer + Clone>(
        &self,
        key: &Key,
        mut record: Record<A>,
    ) -> Result<Changed<A>, StoreError> {
        let mut before = None;
        self.change(key.as_str(), |current| {
            before = current.and_then(Record::<A>::from_json);
            match (current, &before) {
                (Some(_), Some(known)) => record.expected.clone_from(&known.expected),
                (Some(current), None) if !Record::<A>::is_answer_alone(current) => {
                    return Err(StoreError::Foreign { label: self.label.to_string() });
                }
                _ => {}
            }
            Ok(Some(record.to_json()?))
        })?;
        Ok(Changed { before, after: record })
    }

    /// Sets what a person says would have been right for a sentence, or takes it back. Returns the record before and after, or `None`
    /// if the store has none; it gets none then. Three host calls.
    pub fn correct<A: Answer + Clone>(
        &self,
        key: &Key,
        expected: Option<&A>,
    ) -> Result<Option<Changed<A>>, StoreError> {
        let mut changed = None;
        self.change(key.as_str(), |current| {
            let before = current.and_then(Record::<A>::from_json);
            changed = before.map(|before| {
                let after = before.clone().with_expected(expected.cloned());
                Changed { before: Some(before), after }
            });
            Ok(changed.as_ref().map(|changed| changed.after.to_json()).transpose()?)
        })?;
        Ok(changed)
    }

    /// Replaces the value of a key with what `change` makes of it, again and again until nobody else has changed it in between;
    /// `None` leaves it as it is.
    pub(super) fn change(
        &self,
        key: &str,
        mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, StoreError>,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let swap = self.bucket.compare_and_swap(key).map_err(|error| self.error(error))?;
            let Some(value) = change(swap.current())? else { return Ok(()) };
            if swap.replace(&value).map_err(|error| self.error(error))? {
                return Ok(());
            }
        }
        Err(StoreError::Contended { label: self.label.to_string() })
    }

    /// The value of a key, if there is one. One host call.
    pub(super) fn read_one(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.bucket.get(key).map_err(|error| self.error(error))
    }

    /// Sets a value, whatever the key had before. One host call.
    pub(super) fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.bucket.set_many(&[(key, value)]).map_err(|error| self.error(error))
    }

    /// Deletes a key. One host call.
    pub(super) fn delete(&self, key: String) -> Result<(), StoreError> {
        self.delete_many(&[key])
    }

    /// Deletes keys. One host call.
    pub(super) fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.bucket.delete_many(keys).map_err(|error| self.error(error))
    }

    /// Adds one to a counter and returns the sum. Two host calls.
    pub(super) fn count(&self, key: &str) -> Result<u64, StoreError> {
        let known = self.read_one(key)?;
        self.add(key, 1, known.as_deref()).map(i64::unsigned_abs)
    }

    /// Adds to a counter whose value was `known` a moment ago, and returns the sum. One host call; none where that is no counter, as to
    /// add to such a value is a panic on Spin.
    pub(super) fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, StoreError> {
        if known.is_some_and(|value| !counter::is_one(value)) {
            return Err(StoreError::Foreign { label: self.label.to_string() });
        }
        self.bucket.increment(key, change).map_err(|error| self.error(error))
    }

    /// The keys of a store, in any order.
    pub(super) fn keys(&self) -> Result<Vec<String>, StoreError> {
        self.bucket.list_keys().map_err(|error| self.error(error))
    }

    /// The keys that have a value, with their values, in any order. One host call; on Spin with Redis, one more for each key.
    pub(super) fn read_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.bucket.get_many(keys).map_err(|error| self.error(error))
    }

    fn error(&self, error: wasi_keyvalue::Error) -> StoreError {
        StoreError::new(&self.label, error)
    }
}

/// Why a store could not be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The label is not linked.
    #[error("the label `{label}` is not linked to a store: link it")]
    NotLinked {
        /// The label.
        label: String,
    },
    /// The manifest does not grant the label.
    #[error(
        "the component may not open the label `{label}`: add it to the component's `key_value_stores` in spin.toml"
    )]
    NotGranted {
        /// The label.
        label: String,
    },
    /// The store itself failed. The reason is for the log; it may name files and hosts.
    #[error("the store of the label `{label}` failed: {reason}")]
    Failed {
        /// The label.
        label: String,
        /// What the host said.
        reason: String,
    },
    /// Others changed the record at every attempt.
    #[error("a record in the store of the label `{label}` keeps changing: try again")]
    Contended {
        /// The label.
        label: String,
    },
    /// The sentence's key has a value that is no record: somebody else's, in a database that others use as well.
    #[error(
        "the key in the store of the label `{label}` has a value that is not a record; it stays as it is"
    )]
    Foreign {
        /// The label.
        label: String,
    },
    /// The answer cannot be written as JSON.
    #[error("the record cannot be written as JSON: {0}")]
    Record(#[from] JsonError),
}

impl StoreError {
    /// What a client may know: not the reason of a failure, which may name files and hosts.
    pub fn public(&self) -> String {
        match self {
            Self::Failed { label, .. } => {
                format!("the store of the label `{label}` failed: the app's log has the reason")
            }
            _ => self.to_string(),
        }
    }

    /// Whether the same request may succeed later, with nothing changed in the app: the store was away, or others were faster.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Contended { .. })
    }

    fn new(label: &str, error: wasi_keyvalue::Error) -> Self {
        let label = label.to_owned();
        match error {
            wasi_keyvalue::Error::NoSuchStore => Self::NotLinked { label },
            wasi_keyvalue::Error::AccessDenied => Self::NotGranted { label },
            wasi_keyvalue::Error::Other(reason) => Self::Failed { label, reason },
        }
    }
}

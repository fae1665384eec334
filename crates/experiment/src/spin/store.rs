//! A variant's store, open for one request.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

use serde_json::Error as JsonError;
use thiserror::Error;
use wasi_keyvalue::{Bucket, Swap};

use crate::{
    analysis::Observation,
    counter,
    key::Key,
    key_values::{Change, KeyValues},
    prompt::PROMPT_KEY,
    record::{Answer, Record},
    tally,
    vote::{Voter, Votes},
    writes::Writes,
};

/// A variant's store, open for one request.
///
/// A label can be linked to another store while an app runs, so a store is opened for each request and kept no longer. While it
/// is open it stays the same: a record is written where the prompt was read.
pub struct Store<'l> {
    label: Cow<'l, str>,
    bucket: Bucket,
    /// Whether its counters are text, once that had to be found out.
    counts_in_text: OnceCell<bool>,
}

/// A number that is not the same twice.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
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

impl StoredValues {
    /// Reads them from the store that `label` is linked to, which is not kept open. Two host calls; three on Spin with Redis, during which the
    /// instance's other requests go on.
    pub async fn of(label: &str, key: &Key<'_>) -> Result<Self, StoreError> {
        let values = wasi_keyvalue::read(label, &Self::keys(key)).await;
        Ok(Self::among(values.map_err(|error| StoreError::new(label, error))?, key))
    }

    fn keys(key: &Key) -> [String; 2] {
        [PROMPT_KEY.to_owned(), key.as_str().to_owned()]
    }

    fn among(values: Vec<(String, Vec<u8>)>, key: &Key) -> Self {
        let mut stored = Self::default();
        for (name, value) in values {
            if name == PROMPT_KEY {
                stored.prompt = Some(value);
            } else if name == key.as_str() {
                stored.record = Some(value);
            }
        }
        stored
    }
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
            Ok(bucket) => Ok(Self { label, bucket, counts_in_text: OnceCell::new() }),
            Err(error) => Err(StoreError::new(&label, error)),
        }
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The same, for work that goes on after the answer has left.
    pub fn into_owned(self) -> Store<'static> {
        let Self { label, bucket, counts_in_text } = self;
        Store { label: Cow::Owned(label.into_owned()), bucket, counts_in_text }
    }

    /// Reads the prompt and a sentence's record together. One host call; two on Spin with Redis, and three where an
    /// instance reads for the first time.
    pub fn read(&self, key: &Key) -> Result<StoredValues, StoreError> {
        Ok(StoredValues::among(self.get_many(&StoredValues::keys(key))?, key))
    }

    /// Reads the prompt alone. One host call.
    pub fn read_prompt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(PROMPT_KEY)
    }

    /// Replaces the record of a sentence, never another value, but keeps the votes on it, as the store has them: they may have changed
    /// while the model was asked. Three host calls.
    pub fn write<A: Answer + Clone>(
        &self,
        key: &Key,
        mut record: Record<A>,
    ) -> Result<Changed<A>, StoreError> {
        let mut before = None;
        self.change_record(key, |current| {
            before = current.and_then(Record::<A>::from_json);
            match (current, &before) {
                (Some(_), Some(known)) => {
                    record.keep_votes_of(known);
                    record.keep_first_of(known);
                }
                (Some(current), None) if !Record::<A>::is_answer_alone(current) => {
                    return Err(StoreError::Foreign { label: self.label.to_string() });
                }
                _ => {}
            }
            Ok(Some(record.clone()))
        })?;
        Ok(Changed { before, after: record })
    }

    /// Puts a visitor's vote on the answer to a sentence in the place of their earlier one, or takes it back. Returns the record before and
    /// after, or `None` if the store has none; it gets none then. Two host calls, one more if something changes, and one more
    /// where the instance has read no keys together before.
    pub fn vote<A: Answer + Clone + PartialEq>(
        &self,
        key: &Key,
        voter: Voter,
        expected: Option<&A>,
    ) -> Result<Option<Changed<A>>, StoreError> {
        let mut changed = None;
        self.change_record(key, |current| {
            changed = None;
            let Some(before) = current.and_then(Record::<A>::from_json) else { return Ok(None) };
            let mut after = before.clone();
            let full = |_| StoreError::Full { label: self.label.to_string() };
            after.votes.cast(voter, expected.cloned()).map_err(full)?;
            let record = (after != before).then(|| after.clone());
            changed = Some(Changed { before: Some(before), after });
            Ok(record)
        })?;
        Ok(changed)
    }

    /// Replaces a record as [`change`](KeyValues::change) replaces a value. Where the store does not say whether a write was made, the
    /// record does.
    fn change_record<A: Answer>(
        &self,
        key: &Key,
        mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Record<A>>, StoreError>,
    ) -> Result<(), StoreError> {
        let is_marked = self.bucket.misreports_swaps(key.as_str()).map_err(|error| self.error(error))?;
        self.swap(key.as_str(), |swap| {
            let Some(mut record) = change(swap.current())? else { return Ok(true) };
            let mark = format!("{:08x}", random() >> 32);
            if is_marked {
                record.writes.push(mark.clone());
            } else {
                record.writes = Writes::default();
            }
            let has_mark =
                |value: &[u8]| Record::<A>::from_json(value).is_some_and(|now| now.writes.contains(&mark));
            swap.replace(&record.to_json()?, has_mark).map_err(|error| self.error(error))
        })
    }

    /// Lets a value be replaced, again and again until `replace` says that it was, or does not have to be.
    fn swap(
        &self,
        key: &str,
        mut replace: impl FnMut(Swap<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            if replace(self.bucket.compare_and_swap(key).map_err(|error| self.error(error))?)? {
                return Ok(());
            }
        }
        Err(StoreError::Contended { label: self.label.to_string() })
    }

    /// Counts that one observation has taken the place of another, or of none, in this store. Two host calls and one for each counter that
    /// changes: for a new observation seven. On Spin with Redis three more, and the values known before are read each by itself, side by side.
    pub fn tally(
        &self,
        old: Option<&Observation<'_>>,
        new: Option<&Observation<'_>>,
    ) -> Result<(), StoreError> {
        tally::count(self, old, new)
    }

    fn increment(&self, key: &str, change: i64) -> Result<i64, StoreError> {
        self.bucket.increment(key, change).map_err(|error| self.error(error))
    }

    /// Whether this kind of store keeps counters as text, found out with a counter that nobody else uses. Three host calls.
    fn counts_in_text(&self) -> Result<bool, StoreError> {
        if let Some(known) = self.counts_in_text.get() {
            return Ok(*known);
        }
        let key = format!("{}kind:{:x}", tally::PREFIX, random());
        self.increment(&key, 0)?;
        let is_text = self.get(&key)?.is_some_and(|value| counter::is_text(&value));
        self.delete(&[key])?;
        Ok(*self.counts_in_text.get_or_init(|| is_text))
    }

    /// Writes a counter as this kind of store does, if it still is what a copy from another kind has brought along.
    fn convert(&self, key: &str, known: &[u8], number: i64) -> Result<(), StoreError> {
        let converted = counter::value(number, self.counts_in_text()?);
        self.change(key, &mut |current| Ok((current == Some(known)).then(|| converted.clone())))
    }

    fn error(&self, error: wasi_keyvalue::Error) -> StoreError {
        StoreError::new(&self.label, error)
    }
}

impl KeyValues for Store<'_> {
    type Error = StoreError;

    /// One host call.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.bucket.get(key).map_err(|error| self.error(error))
    }

    /// One host call; on Spin with Redis, one for each key, and one that opens the store again where they are more than two.
    fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.bucket.get_many(keys).map_err(|error| self.error(error))
    }

    /// One host call.
    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.bucket.set_many(&[(key.to_owned(), value)]).map_err(|error| self.error(error))
    }

    /// One host call.
    fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.bucket.delete_many(keys).map_err(|error| self.error(error))
    }

    /// The change has to come to nothing where the value is what it would make of it: on Spin with Redis it may be made twice.
    fn change(&self, key: &str, change: Change<'_, StoreError>) -> Result<(), StoreError> {
        self.swap(key, |swap| {
            let Some(value) = change(swap.current())? else { return Ok(true) };
            swap.replace(&value, |_| false).map_err(|error| self.error(error))
        })
    }

    /// One host call where the value has the form of this kind of store. To add to any other value is a panic of Spin's with `SQLite`:
    /// one that is not a number is left alone, and one that was copied from another kind of store is converted.
    fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, StoreError> {
        let Some(known) = known else { return self.increment(key, change) };
        let Some(number) = counter::read(known) else {
            return Err(StoreError::Foreign { label: self.label.to_string() });
        };
        let is_text = counter::is_text(known);
        if is_text && !self.counts_in_text()? {
            self.convert(key, known, number)?;
        }
        match self.increment(key, change) {
            Err(_) if !is_text && self.counts_in_text()? => {
                self.convert(key, known, number)?;
                self.increment(key, change)
            }
            sum => sum,
        }
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
    #[error("the store linked to the label `{label}` failed: {reason}")]
    Failed {
        /// The label.
        label: String,
        /// What the host said.
        reason: String,
    },
    /// Others changed the record at every attempt.
    #[error("a record in the store linked to the label `{label}` keeps changing: try again")]
    Contended {
        /// The label.
        label: String,
    },
    /// The sentence's key has a value that is not a record: somebody else's, in a database that others use as well.
    #[error(
        "the key in the store linked to the label `{label}` has a value that is not a record; it was left unchanged"
    )]
    Foreign {
        /// The label.
        label: String,
    },
    /// The record has as many votes as are kept.
    #[error("the record in the store linked to the label `{label}` has {} votes and takes no more", Votes::<()>::MOST)]
    Full {
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
                format!("the store linked to the label `{label}` failed: the app's log has the reason")
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

//! Variants' stores on Spin: the adapter to `wasi:keyvalue`, for components.
//!
//! # An experiment of one's own
//!
//! A help desk asks a model how urgent a ticket is, and wants to know which of two prompts does that better. In `spin.toml`
//! its component has the labels (`key_value_stores = ["plain", "polite"]`), the model (`ai_models = ["llama2-chat"]`) and a
//! variable `variants`; each label's store holds a prompt under the key `prompt`. The rest is this:
//!
//! ```no_run
//! use std::time::{Instant, SystemTime};
//!
//! use experiment::{Answer, Experiment, Key, Prompt, Record, spin::Store};
//! use serde::{Deserialize, Serialize};
//! use spin_sdk::{
//!     http::{IntoResponse, Request, body::IncomingBodyExt},
//!     http_service,
//!     llm::{InferencingModel, infer},
//!     variables,
//! };
//!
//! /// What the model is asked for.
//! #[derive(Clone, Copy, Serialize, Deserialize)]
//! #[serde(rename_all = "lowercase")]
//! enum Urgency {
//!     High,
//!     Low,
//!     Unclear,
//! }
//!
//! impl Answer for Urgency {
//!     const FIELD: &'static str = "urgency";
//!
//!     fn is_conclusive(&self) -> bool {
//!         !matches!(self, Self::Unclear)
//!     }
//! }
//!
//! fn read_completion(text: &str) -> Urgency {
//!     match text.trim().to_lowercase().as_str() {
//!         "high" => Urgency::High,
//!         "low" => Urgency::Low,
//!         _ => Urgency::Unclear,
//!     }
//! }
//!
//! const MODEL: &str = "llama2-chat";
//! const DEFAULT_PROMPT: &str = "How urgent is this ticket? Answer high or low.\n\n{SENTENCE}\n";
//!
//! async fn urgency(ticket: &str) -> anyhow::Result<Urgency> {
//!     let experiment: Experiment = variables::get("variants").await?.parse()?;
//!     let variant = experiment.assign(&mut rand::rng());
//!     let store = Store::open(variant.label())?;
//!
//!     let key = Key::for_sentence(ticket);
//!     let found = store.read(&key)?;
//!     let prompt = Prompt::from_store(found.prompt, DEFAULT_PROMPT);
//!     let known = found.record.and_then(|value| Record::<Urgency>::from_json(&value));
//!     if let Some(record) = known.filter(|record| record.answers(prompt.fingerprint(), MODEL)) {
//!         return Ok(record.answer);
//!     }
//!
//!     let started = Instant::now();
//!     let completion = infer(InferencingModel::Other(MODEL), &prompt.render(key.sentence()))?;
//!     let answer = read_completion(&completion.text);
//!     let record = Record::new(&key, answer, prompt.fingerprint(), MODEL)
//!         .timed(SystemTime::now(), started.elapsed())
//!         .with_tokens(completion.usage.prompt_token_count, completion.usage.generated_token_count);
//!     store.write(&key, record)?;
//!     Ok(answer)
//! }
//!
//! #[http_service]
//! async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
//!     let ticket = String::from_utf8(request.into_body().bytes().await?.to_vec())?;
//!     Ok(serde_json::to_string(&urgency(&ticket).await?)?)
//! }
//! # fn main() {}
//! ```
//!
//! What people say of its answers goes to [`Store::correct`], and a [`Survey`] makes a report of all that was observed.

mod bindings;
mod survey;

use std::borrow::Cow;

use serde_json::Error as JsonError;
use thiserror::Error;

use self::bindings::{
    atomics::{self, Cas, CasError},
    batch, store,
};
pub use self::survey::{Progress, Survey};
use crate::{
    key::Key,
    prompt::PROMPT_KEY,
    record::{Answer, Record},
};

/// A variant's store, open for one request.
///
/// What a label means can change while an app runs, so a store is opened for each request and kept no longer. While it is
/// open it stays the same: a record is written where the prompt was read.
pub struct Store<'l> {
    label: Cow<'l, str>,
    bucket: store::Bucket,
}

/// How often a change is tried again when others change the same record at the same time.
const ATTEMPTS: usize = 16;

/// What a store holds for a request, as it is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The value under [`PROMPT_KEY`]: for [`Prompt::from_store`](crate::Prompt::from_store).
    pub prompt: Option<Vec<u8>>,
    /// The value under the sentence's key: for [`Record::from_json`].
    pub record: Option<Vec<u8>>,
}

impl<'l> Store<'l> {
    /// Opens the store that `label` means. One host call.
    pub fn open(label: impl Into<Cow<'l, str>>) -> Result<Self, StoreError> {
        let label = label.into();
        match store::open(&label) {
            Ok(bucket) => Ok(Self { label, bucket }),
            Err(error) => Err(StoreError::new(&label, error)),
        }
    }

    /// Reads the prompt and a sentence's record together. One host call; three on Spin with Redis.
    pub fn read(&self, key: &Key) -> Result<Found, StoreError> {
        let keys = [PROMPT_KEY.to_owned(), key.as_str().to_owned()];
        let mut found = Found::default();
        for (name, value) in self.read_many(&keys)? {
            if name == PROMPT_KEY {
                found.prompt = Some(value);
            } else if name == key.as_str() {
                found.record = Some(value);
            }
        }
        Ok(found)
    }

    /// Reads the prompt alone. One host call.
    pub fn read_prompt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.bucket.get(PROMPT_KEY).map_err(|error| self.error(error))
    }

    /// Keeps a sentence's record in place of what is there, and with it what a person said of the sentence: what the store
    /// says of that counts, as it may have changed while a model was asked. Three host calls.
    pub fn write<A: Answer>(&self, key: &Key, mut record: Record<A>) -> Result<(), StoreError> {
        self.change(key, |current| {
            if let Some(known) = current.and_then(Record::<A>::from_json) {
                record.expected = known.expected;
            }
            Ok(Some(record.to_json()?))
        })
    }

    /// Sets what a person says would have been right for a sentence, or takes it back: the record as it is then, or `None`
    /// where the store has none, and keeps none. Three host calls.
    pub fn correct<A: Answer + Clone>(
        &self,
        key: &Key,
        expected: Option<&A>,
    ) -> Result<Option<Record<A>>, StoreError> {
        let mut corrected = None;
        self.change(key, |current| {
            corrected = current
                .and_then(Record::<A>::from_json)
                .map(|record| record.with_expected(expected.cloned()));
            Ok(corrected.as_ref().map(Record::to_json).transpose()?)
        })?;
        Ok(corrected)
    }

    /// Replaces the value of a key by what `change` makes of it, again and again until nobody else has changed it meanwhile;
    /// `None` leaves it as it is.
    fn change(
        &self,
        key: &Key,
        mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, StoreError>,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let swap = Cas::new(&self.bucket, key.as_str()).map_err(|error| self.error(error))?;
            let current = swap.current().map_err(|error| self.error(error))?;
            let changed = change(current.as_deref())?;
            // Spin on Redis says of every swap that it failed; whether it did shows only now.
            if changed.is_none() || changed == current {
                return Ok(());
            }
            match atomics::swap(swap, &changed.unwrap_or_default()) {
                Ok(()) => return Ok(()),
                Err(CasError::CasFailed(_)) => {}
                Err(CasError::StoreError(error)) => return Err(self.error(error)),
            }
        }
        Err(StoreError::Contended { label: self.label.to_string() })
    }

    /// The keys of a store, in any order. One host call, which holds the store only while it reads: a stream of keys holds
    /// Spin's stores for as long as it takes to pass on each key.
    fn keys(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.bucket.list_keys(None).map_err(|error| self.error(error))?.keys)
    }

    /// The values of those keys that have one, in any order. One host call; where that fails, one more for each key.
    ///
    /// Spin's Redis stores (4.1) ask the server for several keys with `KEYS`, which takes a single pattern: with two keys or
    /// more it fails, and with one it gives no value.
    fn read_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        if keys.len() > 1
            && let Ok(values) = batch::get_many(&self.bucket, keys)
        {
            return Ok(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
        }
        let mut values = Vec::new();
        for key in keys {
            if let Some(value) = self.bucket.get(key).map_err(|error| self.error(error))? {
                values.push((key.clone(), value));
            }
        }
        Ok(values)
    }

    fn error(&self, error: store::Error) -> StoreError {
        StoreError::new(&self.label, error)
    }
}

/// Why a store could not be opened, read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The label leads to no store.
    #[error("the label `{label}` is not linked to a store")]
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
    /// The record was changed by others as often as it was tried.
    #[error("a record in the store of the label `{label}` keeps changing: try again")]
    Contended {
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

    fn new(label: &str, error: store::Error) -> Self {
        let label = label.to_owned();
        match error {
            store::Error::NoSuchStore => Self::NotLinked { label },
            store::Error::AccessDenied => Self::NotGranted { label },
            store::Error::Other(reason) => Self::Failed { label, reason },
        }
    }
}

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
//!     store.write(&key, &record)?;
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

mod bindings;

use serde_json::Error as JsonError;
use thiserror::Error;

use self::bindings::{batch, store};
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
    label: &'l str,
    bucket: store::Bucket,
}

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
    pub fn open(label: &'l str) -> Result<Self, StoreError> {
        let bucket = store::open(label).map_err(|error| StoreError::new(label, error))?;
        Ok(Self { label, bucket })
    }

    /// Reads the prompt and a sentence's record together. One host call.
    pub fn read(&self, key: &Key) -> Result<Found, StoreError> {
        let keys = [PROMPT_KEY.to_owned(), key.as_str().to_owned()];
        let mut found = Found::default();
        // The answers come in any order.
        for (name, value) in batch::get_many(&self.bucket, &keys).map_err(|error| self.error(error))? {
            if name == PROMPT_KEY {
                found.prompt = value;
            } else if name == key.as_str() {
                found.record = value;
            }
        }
        Ok(found)
    }

    /// Reads the prompt alone. One host call.
    pub fn read_prompt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let values =
            batch::get_many(&self.bucket, &[PROMPT_KEY.to_owned()]).map_err(|error| self.error(error))?;
        Ok(values.into_iter().find_map(|(name, value)| value.filter(|_| name == PROMPT_KEY)))
    }

    /// Keeps a sentence's record in place of what is there. One host call.
    pub fn write<A: Answer>(&self, key: &Key, record: &Record<A>) -> Result<(), StoreError> {
        let value = record.to_json()?;
        self.bucket.set(key.as_str(), &value).map_err(|error| self.error(error))
    }

    fn error(&self, error: store::Error) -> StoreError {
        StoreError::new(self.label, error)
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
    /// The answer cannot be written as JSON.
    #[error("the record cannot be written as JSON: {0}")]
    Record(#[from] JsonError),
}

impl StoreError {
    fn new(label: &str, error: store::Error) -> Self {
        let label = label.to_owned();
        match error {
            store::Error::NoSuchStore => Self::NotLinked { label },
            store::Error::AccessDenied => Self::NotGranted { label },
            store::Error::Other(reason) => Self::Failed { label, reason },
        }
    }
}

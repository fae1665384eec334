//! Key-value stores for components: `wasi:keyvalue`, called in the way that works with all of Spin's stores.
//!
//! The Spin SDK wraps neither operations on many keys nor compare-and-swap. Spin's Redis stores (4.1) get two of these wrong;
//! [`Bucket::get_many`] and [`Swap::replace`] work around that.
//!
//! `wit/` describes the interface; the embedded runtime implements the same files. On other targets than WebAssembly this crate is
//! empty.
#![cfg(target_family = "wasm")]

mod bindings;

use std::{cell::RefCell, collections::BTreeMap};

use bindings::{
    atomics::{self, Cas, CasError},
    batch, store,
};
use futures::future::try_join_all;
use spin_sdk::{key_value, wit_bindgen::block_on};

pub use bindings::store::Error;

/// An open store.
pub struct Bucket {
    store: store::Bucket,
    label: String,
}

/// What Spin does not tell of a write that Redis refused: why.
const REFUSED: &str = "the server refused to write; it may be out of memory, or a replica";

thread_local! {
    /// By the label, whether its store reads several keys at once; those of Redis, on Spin, do so one by one only. An instance that has
    /// seen it does not ask again.
    static BATCHES: RefCell<BTreeMap<String, bool>> = const { RefCell::new(BTreeMap::new()) };
}

impl Bucket {
    /// Opens the store that `label` is linked to.
    pub fn open(label: &str) -> Result<Self, Error> {
        Ok(Self { store: store::open(label)?, label: label.to_owned() })
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store.get(key)
    }

    /// The keys that have a value, with their values, in any order. One host call; where that fails, one for
    /// each key, and from then on only these: up to two one after another, more than that side by side, in as much time as two.
    ///
    /// Spin's Redis stores (4.1) ask the server for several keys with `KEYS`, which takes a single pattern: with two keys or
    /// more that fails, and with one it gives no value.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        if keys.len() < 2 || has_batches(&self.label) == Some(false) {
            return self.get_each(keys);
        }
        if let Ok(values) = batch::get_many(&self.store, keys) {
            note_batches(&self.label, true);
            return Ok(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
        }
        let values = self.get_each(keys)?;
        note_batches(&self.label, false);
        Ok(values)
    }

    fn get_each(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let values = if keys.len() > 2 {
            // The instance waits, as it does for a single call of the others, and for what it has spawned since it last waited.
            block_on(side_by_side(self.label.clone(), keys.to_vec()))?
        } else {
            keys.iter().map(|key| self.get(key)).collect::<Result<_, _>>()?
        };
        Ok(present(keys, values))
    }

    /// Sets many values.
    pub fn set_many(&self, entries: &[(String, Vec<u8>)]) -> Result<(), Error> {
        batch::set_many(&self.store, entries)
    }

    /// Deletes many keys.
    pub fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        batch::delete_many(&self.store, keys)
    }

    /// Adds `delta` to the number under a key, which is 0 where there is none, and returns the sum. Exact, however many do so at
    /// the same time.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.store, key, delta)
    }

    /// Whether the store reports swaps as failed that were made, as Spin's Redis stores do (4.1). They are told by their batches: no host
    /// call where the instance has read several keys at once before, one where it has not.
    pub fn misreports_swaps(&self, key: &str) -> Result<bool, Error> {
        if has_batches(&self.label).is_none() {
            self.get_many(&[key.to_owned(), key.to_owned()])?;
        }
        Ok(has_batches(&self.label) == Some(false))
    }

    /// Begins to replace the value of a key.
    pub fn compare_and_swap<'b>(&'b self, key: &'b str) -> Result<Swap<'b>, Error> {
        let cas = Cas::new(&self.store, key)?;
        let current = cas.current()?;
        Ok(Swap { bucket: self, key, cas, current })
    }
}

/// Opens the store that `label` is linked to, and reads keys: what [`Bucket::open`] and [`Bucket::get_many`] do together. Where the store is
/// known to read keys one by one only, the instance's other requests go on meanwhile.
pub async fn read(label: &str, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    if has_batches(label) != Some(false) {
        return Bucket::open(label)?.get_many(keys);
    }
    let values = side_by_side(label.to_owned(), keys.to_vec()).await?;
    Ok(present(keys, values))
}

/// Reads keys with Spin's own interface, whose calls need not wait for one another; those of `wasi:keyvalue` (0.2) do.
async fn side_by_side(label: String, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let read = async {
        let store = key_value::Store::open(label).await?;
        try_join_all(keys.iter().map(|key| store.get(key))).await
    };
    read.await.map_err(|error| match error {
        key_value::Error::NoSuchStore => Error::NoSuchStore,
        key_value::Error::AccessDenied => Error::AccessDenied,
        key_value::Error::StoreTableFull => Error::Other("too many stores are open".to_owned()),
        key_value::Error::Other(reason) => Error::Other(reason),
    })
}

/// The keys that have a value, with their values.
fn present(keys: &[String], values: Vec<Option<Vec<u8>>>) -> Vec<(String, Vec<u8>)> {
    keys.iter().zip(values).filter_map(|(key, value)| Some((key.clone(), value?))).collect()
}

/// Whether the store behind a label reads several keys at once, where that is known.
fn has_batches(label: &str) -> Option<bool> {
    BATCHES.with_borrow(|batches| batches.get(label).copied())
}

fn note_batches(label: &str, reads_together: bool) {
    if has_batches(label) != Some(reads_together) {
        BATCHES.with_borrow_mut(|batches| batches.insert(label.to_owned(), reads_together));
    }
}

/// A value that is about to be replaced.
pub struct Swap<'b> {
    bucket: &'b Bucket,
    key: &'b str,
    cas: Cas,
    current: Option<Vec<u8>>,
}

impl Swap<'_> {
    /// The value that would be replaced, if there is one.
    pub fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    /// Replaces the value; `false` if somebody else has changed it in the meantime.
    ///
    /// Spin's Redis stores (4.1) report every swap as failed, so there what is in the store afterwards decides: the new value; still the
    /// old one; or another one. That may have been written over the new value already, and only `comes_after_it` can say so, of what is
    /// there. Where it says of every value that it does not, `false` may be wrong, and of two callers who write the same value at the same
    /// time both believe that it was they.
    pub fn replace(self, value: &[u8], comes_after_it: impl FnOnce(&[u8]) -> bool) -> Result<bool, Error> {
        let mut cas = self.cas;
        // Where the old value is still there, somebody may have written it after Spin had begun to watch the key and before it read it.
        // If nobody has written since, the server refuses to.
        for _ in 0..2 {
            cas = match atomics::swap(cas, value) {
                Ok(()) => return Ok(true),
                Err(CasError::StoreError(error)) => return Err(error),
                Err(CasError::CasFailed(_)) if !self.bucket.misreports_swaps(self.key)? => return Ok(false),
                Err(CasError::CasFailed(cas)) => cas,
            };
            // Not the bucket's own connection, which may still lead to another server than the one that was written to.
            match cas.current()? {
                Some(now) if now == value => return Ok(true),
                now if now != self.current => return Ok(now.is_some_and(|now| comes_after_it(&now))),
                _ => {}
            }
        }
        Err(Error::Other(REFUSED.to_owned()))
    }
}

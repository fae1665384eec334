//! Key-value stores for components: `wasi:keyvalue`, called in the way that works with all of Spin's stores.
//!
//! The Spin SDK wraps neither operations on many keys nor compare-and-swap. Spin's Redis stores (4.1) get two of these wrong;
//! [`Bucket::get_many`] and [`Swap::replace`] work around that.
//!
//! `wit/` describes the interface; the embedded runtime implements the same files. On other targets than WebAssembly this crate is
//! empty.
#![cfg(target_family = "wasm")]

mod bindings;

use std::{cell::RefCell, collections::BTreeSet};

use bindings::{
    atomics::{self, Cas, CasError},
    batch, store,
};

pub use bindings::store::Error;

/// An open store.
pub struct Bucket {
    store: store::Bucket,
    label: String,
}

/// What Spin does not tell of a write that Redis refused: why.
const REFUSED: &str = "the server refused to write; it may be out of memory, or a replica";

thread_local! {
    /// Labels of stores that do not read several keys at once, but do one by one: those of Redis, on Spin. An instance that has seen it
    /// does not ask again.
    static WITHOUT_BATCHES: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
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
    /// each key, and from then on only these.
    ///
    /// Spin's Redis stores (4.1) ask the server for several keys with `KEYS`, which takes a single pattern: with two keys or
    /// more that fails, and with one it gives no value.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let batches = WITHOUT_BATCHES.with_borrow(|labels| !labels.contains(&self.label));
        if keys.len() > 1
            && batches
            && let Ok(values) = batch::get_many(&self.store, keys)
        {
            return Ok(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
        }
        let value_of = |key: &String| Ok(self.get(key)?.map(|value| (key.clone(), value)));
        let values = keys.iter().filter_map(|key| value_of(key).transpose()).collect::<Result<_, _>>()?;
        if keys.len() > 1 && batches {
            WITHOUT_BATCHES.with_borrow_mut(|labels| labels.insert(self.label.clone()));
        }
        Ok(values)
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

    /// Whether the store reports swaps as failed that were made, as Spin's Redis stores do (4.1). They are told by their batches.
    fn misreports_swaps(&self, key: &str) -> Result<bool, Error> {
        let is_known = || WITHOUT_BATCHES.with_borrow(|labels| labels.contains(&self.label));
        if !is_known() {
            self.get_many(&[key.to_owned(), key.to_owned()])?;
        }
        Ok(is_known())
    }

    /// Begins to replace the value of a key.
    pub fn compare_and_swap<'b>(&'b self, key: &'b str) -> Result<Swap<'b>, Error> {
        let cas = Cas::new(&self.store, key)?;
        let current = cas.current()?;
        Ok(Swap { bucket: self, key, cas, current })
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
    /// Spin's Redis stores (4.1) report every swap as failed, so there what is in the store afterwards decides: the new value, another
    /// one, or still the old one, which means that the server refused to write. Of two callers who write the same value at the same time
    /// both then believe that it was they.
    pub fn replace(self, value: &[u8]) -> Result<bool, Error> {
        match atomics::swap(self.cas, value) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) if !self.bucket.misreports_swaps(self.key)? => Ok(false),
            Err(CasError::CasFailed(_)) => match self.bucket.get(self.key)? {
                Some(now) if now == value => Ok(true),
                now if now == self.current => Err(Error::Other(REFUSED.to_owned())),
                _ => Ok(false),
            },
            Err(CasError::StoreError(error)) => Err(error),
        }
    }
}

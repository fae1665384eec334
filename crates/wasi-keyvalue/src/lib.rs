//! Key-value stores for components: `wasi:keyvalue`, called in the way that works with all of Spin's stores.
//!
//! The Spin SDK wraps neither operations on many keys nor compare-and-swap. Spin's Redis stores (4.1) get two of these wrong;
//! [`Bucket::get_many`] and [`Swap::replace`] work around that.
//!
//! `wit/` describes the interface; the embedded runtime implements the same files. On other targets than WebAssembly this crate is
//! empty.
#![cfg(target_family = "wasm")]

mod bindings;

use bindings::{
    atomics::{self, Cas, CasError},
    batch, store,
};

pub use bindings::store::Error;

/// An open store.
pub struct Bucket(store::Bucket);

impl Bucket {
    /// Opens the store that `label` is linked to.
    pub fn open(label: &str) -> Result<Self, Error> {
        store::open(label).map(Self)
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    /// The keys that have a value, with their values, in any order. One host call; where that fails, one more for each key.
    ///
    /// Spin's Redis stores (4.1) ask the server for several keys with `KEYS`, which takes a single pattern: with two keys or
    /// more that fails, and with one it gives no value.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        if keys.len() > 1
            && let Ok(values) = batch::get_many(&self.0, keys)
        {
            return Ok(values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
        }
        let value_of = |key: &String| Ok(self.get(key)?.map(|value| (key.clone(), value)));
        keys.iter().filter_map(|key| value_of(key).transpose()).collect()
    }

    /// Sets many values.
    pub fn set_many(&self, entries: &[(String, Vec<u8>)]) -> Result<(), Error> {
        batch::set_many(&self.0, entries)
    }

    /// Deletes many keys.
    pub fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        batch::delete_many(&self.0, keys)
    }

    /// Adds `delta` to the number under a key, which is 0 where there is none, and returns the sum. Exact, however many do so at
    /// the same time.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.0, key, delta)
    }

    /// Begins to replace the value of a key.
    pub fn compare_and_swap<'b>(&'b self, key: &'b str) -> Result<Swap<'b>, Error> {
        let cas = Cas::new(&self.0, key)?;
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
    /// Spin's Redis stores (4.1) report every swap as failed, so whether the new value is there decides.
    pub fn replace(self, value: &[u8]) -> Result<bool, Error> {
        match atomics::swap(self.cas, value) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) => Ok(self.bucket.get(self.key)?.as_deref() == Some(value)),
            Err(CasError::StoreError(error)) => Err(error),
        }
    }
}

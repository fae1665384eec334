//! What counting and the journal need of a store, whoever opens it.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::Error as JsonError;

use crate::counter;

/// How many values are read or deleted at a time.
pub(crate) const BATCH: usize = 200;

/// What [`change`](KeyValues::change) makes of a value; `None` leaves it as it is.
pub type Change<'c, E> = &'c mut dyn FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>;

/// An open store.
pub trait KeyValues {
    /// Why it cannot be read or written.
    type Error: From<JsonError>;

    /// The value of a key, if there is one.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Those of the keys that have a value, with their values, in any order.
    fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Self::Error>;

    /// Sets a value, whatever the key had before.
    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), Self::Error>;

    /// Deletes keys, those that are there.
    fn delete(&self, keys: &[String]) -> Result<(), Self::Error>;

    /// Replaces a value, again and again until nobody else has changed it in between.
    fn change(&self, key: &str, change: Change<'_, Self::Error>) -> Result<(), Self::Error>;

    /// Adds to a counter whose value was `known` a moment ago, and returns the sum. Exact, however many do so at the same time.
    ///
    /// A value that is not a counter is an error, and stays.
    fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, Self::Error>;

    /// Adds one to a counter and returns the sum.
    fn count(&self, key: &str) -> Result<u64, Self::Error> {
        let known = self.get(key)?;
        self.add(key, 1, known.as_deref()).map(i64::unsigned_abs)
    }

    /// As [`get_many`](Self::get_many), however many they are.
    fn get_all(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Self::Error> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH) {
            values.extend(self.get_many(keys)?);
        }
        Ok(values)
    }
}

impl<S: KeyValues> KeyValues for &S {
    type Error = S::Error;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Self::Error> {
        S::get(self, key)
    }

    fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Self::Error> {
        S::get_many(self, keys)
    }

    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), Self::Error> {
        S::set(self, key, value)
    }

    fn delete(&self, keys: &[String]) -> Result<(), Self::Error> {
        S::delete(self, keys)
    }

    fn change(&self, key: &str, change: Change<'_, Self::Error>) -> Result<(), Self::Error> {
        S::change(self, key, change)
    }

    fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, Self::Error> {
        S::add(self, key, change, known)
    }
}

/// A store in memory, for tests and simulations; its counters have the form of `SQLite` stores.
#[derive(Clone, Debug, Default)]
pub struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Memory {
    /// What it holds.
    pub fn into_entries(self) -> BTreeMap<String, Vec<u8>> {
        self.0.into_inner()
    }
}

impl From<BTreeMap<String, Vec<u8>>> for Memory {
    fn from(entries: BTreeMap<String, Vec<u8>>) -> Self {
        Self(RefCell::new(entries))
    }
}

impl KeyValues for Memory {
    type Error = JsonError;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, JsonError> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, JsonError> {
        let entries = self.0.borrow();
        Ok(keys.iter().filter_map(|key| Some((key.clone(), entries.get(key)?.clone()))).collect())
    }

    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), JsonError> {
        self.0.borrow_mut().insert(key.to_owned(), value);
        Ok(())
    }

    fn delete(&self, keys: &[String]) -> Result<(), JsonError> {
        self.0.borrow_mut().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    fn change(&self, key: &str, change: Change<'_, JsonError>) -> Result<(), JsonError> {
        let current = self.get(key)?;
        match change(current.as_deref())? {
            Some(value) => self.set(key, value),
            None => Ok(()),
        }
    }

    fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, JsonError> {
        let Some(number) = known.map_or(Some(0), counter::read) else {
            return Err(serde::de::Error::custom("the value is no counter"));
        };
        let sum = number.saturating_add(change);
        self.set(key, counter::value(sum, false))?;
        Ok(sum)
    }
}

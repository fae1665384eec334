//! All keys of a store, a page at a time.

use std::collections::HashSet;

use crate::{Cursor, Store, StoreError};

/// A list of all keys that is being read. Between two pages it holds nothing of the store's, so whoever stops reading stops nobody
/// else.
#[derive(Debug)]
pub struct Listing {
    store: Store,
    next: Next,
    /// The keys so far, where the store may name one twice.
    named: Option<HashSet<String>>,
}

#[derive(Debug)]
enum Next {
    First,
    At(Cursor),
    Nothing,
}

impl Listing {
    /// A list of the keys of a store, each of them once.
    pub fn of(store: Store) -> Self {
        let named = store.repeats_keys().then(HashSet::new);
        Self { store, next: Next::First, named }
    }

    /// About so many keys that no page before had, maybe none; `None` after the last page. Others on the same thread go on before
    /// each page: a store in a file would answer one after another at once.
    ///
    /// # Errors
    ///
    /// As [`Store::keys_page`]; the next call asks for the same page again.
    pub async fn next(&mut self, limit: usize) -> Result<Option<Vec<String>>, StoreError> {
        let cursor = match &self.next {
            Next::First => None,
            Next::At(cursor) => Some(cursor.clone()),
            Next::Nothing => return Ok(None),
        };
        tokio::task::yield_now().await;
        let (mut keys, next) = self.store.keys_page(cursor, limit).await?;
        self.next = next.map_or(Next::Nothing, Next::At);
        if let Some(named) = &mut self.named {
            keys.retain(|key| named.insert(key.clone()));
        }
        Ok(Some(keys))
    }
}

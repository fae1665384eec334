//! The journal, open for one request.

use super::store::{Store, StoreError};
use crate::journal::LABEL;

/// The journal's store, open for one request.
pub type Journal = crate::journal::Journal<Store<'static>>;

impl Journal {
    /// Opens it. One host call.
    pub fn open() -> Result<Self, StoreError> {
        Ok(Self::new(Store::open(LABEL)?))
    }
}

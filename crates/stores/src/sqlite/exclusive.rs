//! Having a store's file for oneself.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::file::{File, busy};
use crate::StoreError;

/// A store's file that no other process can open until this is dropped, and whose content is all in the file itself: only
/// then may the file be moved or removed, for its write-ahead log would stay behind otherwise.
#[derive(Debug)]
pub struct Exclusive {
    _connection: Connection,
}

impl Exclusive {
    /// Takes the file at `path`.
    ///
    /// # Errors
    ///
    /// Another process has the store open; or it cannot be opened.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let file = File::new(path, "")?;
        let connection = file.open()?;
        let take = || {
            connection.busy_timeout(Duration::ZERO)?;
            // Leaving write-ahead mode moves the log into the file and removes it.
            connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
            connection.execute_batch("BEGIN EXCLUSIVE")
        };
        match take() {
            Ok(()) => Ok(Self { _connection: connection }),
            Err(error) if busy(&error) => Err(StoreError::InUse { place: file.place }),
            Err(error) => Err(file.error(&error)),
        }
    }
}

//! Reading on the calling thread, without waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::available_parallelism;
use std::time::Duration;

use rusqlite::Connection;

use super::file::{File, PATIENCE, busy};
use crate::StoreError;

/// More connections than this would only cost memory.
const MOST: usize = 16;

type Slot = Mutex<Option<Connection>>;

/// Connections for reading, each opened when it is first needed. A thread keeps to one of them, so with one runtime
/// per core no two threads meet; where they do, the second takes another.
pub(super) struct Readers {
    file: Arc<File>,
    slots: Box<[Slot]>,
    /// For reads that have to wait for a lock of another process: rare, and off the runtime's thread.
    patient: Slot,
}

impl Readers {
    pub(super) fn new(file: Arc<File>) -> Self {
        let slots = available_parallelism().map_or(1, usize::from).min(MOST);
        Self { file, slots: (0..slots).map(|_| Slot::default()).collect(), patient: Slot::default() }
    }

    /// Answers `query` (given a connection and the label) on this thread if that needs no waiting, otherwise on one
    /// where waiting disturbs nobody. `query` may be asked twice.
    pub(super) async fn read<T, Q>(self: &Arc<Self>, query: Q) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        if let Some(answer) = self.read_at_once(&query) {
            return answer;
        }
        let readers = Arc::clone(self);
        let waiting = tokio::task::spawn_blocking(move || {
            let slot = readers.patient.lock().unwrap_or_else(PoisonError::into_inner);
            readers.ask(slot, PATIENCE, &query).map_err(|error| readers.file.error(&error))
        });
        waiting.await.unwrap_or_else(|_| Err(StoreError::Closed { place: self.file.place.clone() }))
    }

    /// `None` if that would have to wait.
    fn read_at_once<T>(
        &self,
        query: &impl Fn(&Connection, &str) -> rusqlite::Result<T>,
    ) -> Option<Result<T, StoreError>> {
        match self.ask(self.free_slot()?, Duration::ZERO, query) {
            Err(error) if busy(&error) => None,
            answer => Some(answer.map_err(|error| self.file.error(&error))),
        }
    }

    fn free_slot(&self) -> Option<MutexGuard<'_, Option<Connection>>> {
        let own = thread_number() % self.slots.len();
        let (before, from_own) = self.slots.split_at(own);
        from_own.iter().chain(before).find_map(|slot| match slot.try_lock() {
            Ok(slot) => Some(slot),
            Err(TryLockError::Poisoned(slot)) => Some(slot.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }

    fn ask<T>(
        &self,
        mut slot: MutexGuard<'_, Option<Connection>>,
        patience: Duration,
        query: &impl Fn(&Connection, &str) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(self.file.open_reader(patience)?),
        };
        query(connection, &self.file.label)
    }
}

/// A number that this thread alone has.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

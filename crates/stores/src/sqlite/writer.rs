//! Writing on a thread of the store's own: a commit waits for the disk, and a runtime's thread must not.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::file::File;
use crate::StoreError;

/// Writes committed together at most, so that the first of them does not wait for an endless queue.
const GROUP: usize = 256;

/// A store's writing thread. Dropping this lets it finish what is queued, then end.
pub(super) struct Writer {
    file: Arc<File>,
    queue: Sender<Box<dyn Job>>,
    thread: JoinHandle<()>,
}

impl Writer {
    pub(super) fn start(connection: Connection, file: Arc<File>) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel();
        let thread = {
            let file = Arc::clone(&file);
            thread::Builder::new()
                .name("store writer".to_owned())
                .spawn(move || run(connection, &file, &jobs))
        };
        match thread {
            Ok(thread) => Ok(Self { file, queue, thread }),
            Err(error) => Err(StoreError::Open { place: file.place.clone(), reason: error.to_string() }),
        }
    }

    /// Runs `change` (given a connection and the label) in a transaction and returns once that is committed. An error
    /// undoes the change. `change` may be asked twice: what the first time did is then undone before.
    ///
    /// The change happens even if the caller stops waiting for it.
    pub(super) async fn write<T, C>(&self, change: C) -> Result<T, StoreError>
    where
        T: Send + 'static,
        C: Fn(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let closed = || StoreError::Closed { place: self.file.place.clone() };
        self.queue.send(Box::new(Queued { change, value: None, answer })).map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Waits until everything queued is written and the file is closed.
    pub(super) async fn close(self) {
        drop(self.queue);
        // It fails if the runtime is shutting down; the thread goes on by itself.
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// One queued change, whatever its answer.
trait Job: Send {
    /// Makes the change within `transaction`.
    fn apply(&mut self, transaction: &Transaction<'_>, label: &str) -> rusqlite::Result<()>;
    /// Tells the caller that the transaction was committed, or why not.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Queued<T, C> {
    change: C,
    value: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, C> Job for Queued<T, C>
where
    T: Send,
    C: Fn(&Connection, &str) -> rusqlite::Result<T> + Send,
{
    fn apply(&mut self, transaction: &Transaction<'_>, label: &str) -> rusqlite::Result<()> {
        self.value = Some((self.change)(transaction, label)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.value) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(value)) => Ok(value),
            // Committed without having been applied: there is no such path.
            (Ok(()), None) => return,
        };
        // Whoever asked may have gone.
        let _ = self.answer.send(answer);
    }
}

fn run(mut connection: Connection, file: &File, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        // Whatever queued up during the last commit shares the next one: many writers cost hardly more than one.
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        match commit(&mut connection, file, &mut group) {
            Err(Failure::Change(_)) if group.len() > 1 => {
                // One change of the group cannot be made. Each alone, so that only that one fails.
                for mut job in group {
                    let committed = commit(&mut connection, file, std::slice::from_mut(&mut job));
                    job.answer(committed.map_err(|failure| failure.explain(file)));
                }
            }
            committed => {
                let committed = committed.map_err(|failure| failure.explain(file));
                for job in group {
                    job.answer(committed.clone());
                }
            }
        }
    }
    // Whoever opens or copies the file next finds everything in it. Where another process is in the way the log keeps
    // it, which is just as safe.
    let _ = connection.busy_timeout(Duration::ZERO);
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

/// Why a group was not committed.
enum Failure {
    /// One of the changes failed: the others might not.
    Change(rusqlite::Error),
    /// Beginning or committing failed, as it would for each of them.
    Transaction(rusqlite::Error),
}

impl Failure {
    fn explain(&self, file: &File) -> StoreError {
        match self {
            Self::Change(error) | Self::Transaction(error) => file.error(error),
        }
    }
}

fn commit(connection: &mut Connection, file: &File, group: &mut [Box<dyn Job>]) -> Result<(), Failure> {
    // Immediate: the lock is waited for here, where that is possible, and not half-way.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Failure::Transaction)?;
    for job in group {
        job.apply(&transaction, &file.label).map_err(Failure::Change)?;
    }
    transaction.commit().map_err(Failure::Transaction)
}

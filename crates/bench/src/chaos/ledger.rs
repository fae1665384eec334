//! What the app has acknowledged, and what its clients saw.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use e2e::app::{FIRST, SECOND};

/// What was acknowledged of a sentence, and what is right for it.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    /// What the model says to it.
    pub(crate) right: &'static str,
    /// By the variant: whether the answer has to be in its store. An answer that was given while a store failed need not be: it is not
    /// lost to whoever asked, and the log says that it was not recorded.
    pub(crate) answers: BTreeMap<&'static str, bool>,
    /// What was said about the answer of a variant.
    pub(crate) vote: Option<(&'static str, &'static str)>,
    pub(crate) annotation: Option<&'static str>,
}

/// All that was acknowledged, by the sentence.
#[derive(Default)]
pub(crate) struct Ledger {
    noted: Mutex<BTreeMap<String, Noted>>,
    seen: Mutex<BTreeMap<(&'static str, String), u64>>,
    wrong: Mutex<Vec<String>>,
    cached: Mutex<Vec<Duration>>,
    /// Odd while a store fails; it changes with every beginning and end of a fault.
    faults: AtomicU64,
}

impl Ledger {
    pub(crate) fn noted(&self) -> MutexGuard<'_, BTreeMap<String, Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests of each kind had each end.
    pub(crate) fn seen(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What no client should ever have been told.
    pub(crate) fn wrong(&self) -> MutexGuard<'_, Vec<String>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long answers from a store took.
    pub(crate) fn cached(&self) -> MutexGuard<'_, Vec<Duration>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, kind: &'static str, end: &(impl ToString + ?Sized)) {
        *self.seen().entry((kind, end.to_string())).or_default() += 1;
    }

    /// A store begins to fail, or no longer does.
    pub(crate) fn fault_changes(&self) {
        self.faults.fetch_add(1, Ordering::SeqCst);
    }

    /// The present time in faults: for [`was_undisturbed`](Self::was_undisturbed).
    pub(crate) fn moment(&self) -> u64 {
        self.faults.load(Ordering::SeqCst)
    }

    /// Whether no store has failed since that moment.
    pub(crate) fn was_undisturbed(&self, since: u64) -> bool {
        since.is_multiple_of(2) && self.moment() == since
    }
}

/// The label as a name that is kept.
pub(crate) fn variant(label: &str) -> Option<&'static str> {
    [FIRST, SECOND].into_iter().find(|known| *known == label)
}

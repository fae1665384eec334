//! A bound on what many take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes, or anything else that is counted, of which at most a limit can be taken at a time. Taking and giving back is one atomic operation.
#[derive(Debug)]
pub(crate) struct Budget {
    taken: AtomicUsize,
    limit: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), limit })
    }

    /// Nothing taken yet; more may be later.
    pub(crate) fn nothing(self: &Arc<Self>) -> Taken {
        Taken { budget: self.clone(), bytes: 0 }
    }

    /// So many bytes, or nothing where there is no room for them.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Taken> {
        let mut taken = self.nothing();
        taken.grow(bytes).then_some(taken)
    }

    /// How much is taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn reserve(&self, bytes: usize) -> bool {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.checked_add(bytes).is_some_and(|after| after <= self.limit);
        if !fits {
            self.taken.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

/// A part of a budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Taken {
    /// Takes so many bytes more; `false` where there is no room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = self.budget.reserve(bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_together_stays_within_the_limit() {
        let budget = Budget::new(10);
        let mut first = budget.take(4).unwrap();
        assert!(budget.take(7).is_none());
        assert!(!first.grow(7));
        assert!(first.grow(6));
        assert!(budget.take(1).is_none());
        drop(first);
        assert!(budget.take(10).is_some());
        assert!(budget.take(usize::MAX).is_none());
        assert!(budget.take(10).is_some());
    }
}

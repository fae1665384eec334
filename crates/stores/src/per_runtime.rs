//! One value for each tokio runtime.
//!
//! A connection is driven by a task, and a task lives and dies with the runtime that spawned it. The server runs
//! one single-threaded runtime per core: a connection shared among them would make a request on one core wait for
//! another core to come round to its task, and would break when that runtime ends. So each runtime has its own.

use std::sync::{PoisonError, RwLock};

use tokio::runtime::{Handle, Id};

/// More runtimes than any machine serves with at once: beyond this the oldest value is dropped, so that a process
/// which starts and ends many runtimes does not collect values that nobody can use.
const MOST: usize = 256;

/// A value for each runtime that asked for one. The lock is held only while the short list is looked through.
#[derive(Debug)]
pub struct PerRuntime<T>(RwLock<Vec<(Option<Id>, T)>>);

impl<T> Default for PerRuntime<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> PerRuntime<T> {
    /// The value of the current runtime; `make` is asked for it the first time.
    pub fn get<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let current = Handle::try_current().ok().map(|runtime| runtime.id());
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = values.iter().find(|(id, _)| *id == current) {
            return Ok(value.clone());
        }
        drop(values);
        let value = make()?;
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Of two threads of one runtime that got here at once, the first decides.
        if let Some((_, value)) = values.iter().find(|(id, _)| *id == current) {
            return Ok(value.clone());
        }
        if values.len() == MOST {
            values.remove(0);
        }
        values.push((current, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn each_runtime_has_one_value_and_the_list_stays_short() {
        let values = PerRuntime::default();
        let get = |number: usize| values.get(|| Ok::<_, Infallible>(number)).unwrap();
        let (first, second) = (runtime(), runtime());
        assert_eq!(first.block_on(async { (get(1), get(2)) }), (1, 1));
        assert_eq!(second.block_on(async { get(3) }), 3);
        assert_eq!(first.block_on(async { get(4) }), 1);
        for number in 0..2 * MOST {
            assert_eq!(runtime().block_on(async { get(number) }), number);
        }
        assert_eq!(values.0.read().unwrap().len(), MOST);
    }
}

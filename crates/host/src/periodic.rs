//! Something done again and again, on a thread of its own.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs until it is dropped, which waits for a run under way.
pub(crate) struct Periodic(Option<(Sender<()>, JoinHandle<()>)>);

impl Periodic {
    /// Runs `task` at once and then after every `interval`.
    pub(crate) fn start(interval: Duration, mut task: impl FnMut() + Send + 'static) -> Self {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            loop {
                task();
                if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        });
        Self(Some((stop, thread)))
    }
}

impl Drop for Periodic {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // A task that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

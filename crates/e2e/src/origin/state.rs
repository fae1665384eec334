//! What the server remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::HeaderMap;
use tokio::sync::{Barrier, watch};

use super::script::Script;

/// A request as the server got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its target, as it was written.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, where the script waits for it.
    pub body: Bytes,
}

impl Received {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) script: Script,
    requests: Mutex<Vec<Received>>,
    pub(super) connections: watch::Sender<Connections>,
    pub(super) barrier: Barrier,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connections {
    pub(super) accepted: usize,
    pub(super) closed: usize,
}

impl State {
    pub(super) fn new(script: Script) -> Self {
        let together = if let Script::Together { requests, .. } = script { requests } else { 1 };
        Self {
            script,
            requests: Mutex::default(),
            connections: watch::Sender::default(),
            barrier: Barrier::new(together),
        }
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<Received>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, request: Received) {
        self.requests().push(request);
        // Whoever waits for requests is woken as well.
        self.connections.send_modify(|_| {});
    }
}

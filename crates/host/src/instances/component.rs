//! One component of an app: its compiled code and what it is granted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::given::grants::Grants;
use crate::instances::guest::Guest;
use crate::limits;
use crate::observer::{Busy, ComponentLoad};

/// A component ready to be instantiated.
pub(crate) struct Component {
    grants: Arc<Grants>,
    engine: Engine,
    pre: ServicePre<Guest>,
    capacity: Arc<Semaphore>,
    instances: Arc<AtomicUsize>,
}

/// Counts as an instance while it is kept.
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Component {
    pub(crate) fn new(grants: Grants, engine: Engine, pre: ServicePre<Guest>) -> Self {
        Self {
            grants: Arc::new(grants),
            engine,
            pre,
            capacity: Arc::new(Semaphore::new(limits::CAPACITY)),
            instances: Arc::default(),
        }
    }

    /// What it is granted.
    pub(crate) fn grants(&self) -> &Arc<Grants> {
        &self.grants
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.grants.id
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn pre(&self) -> &ServicePre<Guest> {
        &self.pre
    }

    /// Places for requests in flight, over all cores.
    pub(crate) fn capacity(&self) -> &Arc<Semaphore> {
        &self.capacity
    }

    /// One instance more, until what this gives is dropped.
    pub(crate) fn count_instance(&self) -> Counted {
        self.instances.fetch_add(1, Ordering::Relaxed);
        Counted(self.instances.clone())
    }
}

impl Busy for Component {
    /// Over all cores.
    fn load(&self) -> ComponentLoad<'_> {
        ComponentLoad {
            id: self.id(),
            requests: limits::CAPACITY - self.capacity.available_permits(),
            instances: self.instances.load(Ordering::Relaxed),
        }
    }
}

//! One component of an app: its compiled code and what it is granted.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::budget::{Budget, Taken};
use crate::given::grants::Grants;
use crate::instances::guest::Guest;
use crate::limits;

/// A component ready to be instantiated.
pub(crate) struct Component {
    grants: Arc<Grants>,
    engine: Engine,
    pre: ServicePre<Guest>,
    capacity: Arc<Semaphore>,
    instances: Arc<Budget>,
}

impl Component {
    pub(crate) fn new(grants: Grants, engine: Engine, pre: ServicePre<Guest>) -> Self {
        Self {
            grants: Arc::new(grants),
            engine,
            pre,
            capacity: Arc::new(Semaphore::new(limits::CAPACITY)),
            instances: Budget::new(limits::INSTANCES),
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

    /// A place for one more instance, over all cores; `None` where there are as many as the component may have.
    pub(crate) fn place(&self) -> Option<Taken> {
        self.instances.take(1)
    }

    /// Places for requests in flight, over all cores.
    pub(crate) fn capacity(&self) -> &Arc<Semaphore> {
        &self.capacity
    }
}

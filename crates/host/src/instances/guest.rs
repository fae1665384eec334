//! What belongs to one running instance.

use std::sync::{Arc, Weak};

use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::given::grants::Grants;
use crate::instances::caller::Caller;
use crate::instances::outgoing::{Outgoing, Surroundings};
use crate::limits;

/// The data of one instance: its handles, and what its component is granted.
pub(crate) struct Guest {
    pub(crate) grants: Arc<Grants>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    limits: StoreLimits,
}

impl Guest {
    /// A store for a new instance of a component with these grants.
    pub(crate) fn store(
        engine: &Engine,
        grants: &Arc<Grants>,
        app: Weak<dyn Surroundings>,
    ) -> wasmtime::Result<Store<Self>> {
        let guest = Self {
            grants: grants.clone(),
            table: ResourceTable::new(),
            wasi: grants.wasi()?,
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(grants.clone(), app),
            limits: StoreLimitsBuilder::new().memory_size(limits::INSTANCE_MEMORY).build(),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        Ok(store)
    }

    /// From now on the instance is at work for `caller`.
    pub(crate) fn begin(&mut self, caller: Caller) {
        self.outgoing.begin(caller);
    }

    /// Whom the instance is at work for.
    pub(crate) fn caller(&self) -> &Caller {
        self.outgoing.caller()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

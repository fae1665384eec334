//! What belongs to one running instance.

use std::sync::{Arc, Weak};

use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::caller::Caller;
use crate::chaining::Chaining;
use crate::component::Component;
use crate::dispatch::Core;
use crate::limits;

/// The data of one instance: its handles, and the component it is an instance of.
pub(crate) struct Guest {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    chaining: Chaining,
    limits: StoreLimits,
}

impl Guest {
    /// A store for a new instance of `component` on `core`.
    pub(crate) fn store(component: &Arc<Component>, core: Weak<Core>) -> wasmtime::Result<Store<Self>> {
        let guest = Self {
            component: component.clone(),
            table: ResourceTable::new(),
            wasi: component.wasi()?,
            http: WasiHttpCtx::new(),
            chaining: Chaining::new(component.clone(), core),
            limits: StoreLimitsBuilder::new().memory_size(limits::INSTANCE_MEMORY).build(),
        };
        let mut store = Store::new(component.engine(), guest);
        store.limiter(|guest| &mut guest.limits);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        Ok(store)
    }

    /// From now on the instance is at work for `caller`.
    pub(crate) fn begin(&mut self, caller: Caller) {
        self.chaining.begin(caller);
    }

    /// Whom the instance is at work for.
    pub(crate) fn caller(&self) -> &Caller {
        self.chaining.caller()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.chaining }
    }
}

//! What belongs to one running instance.

use std::sync::{Arc, Weak};

use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::budget::Taken;
use crate::given::grants::Grants;
use crate::instances::caller::{Abandoned, Caller};
use crate::instances::outgoing::{Outgoing, Surroundings};
use crate::limits;
use crate::observer::Trace;

/// The data of one instance: its handles, and what its component is granted.
pub struct Guest {
    pub(crate) grants: Arc<Grants>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    memory: Memory,
    /// Among the instances of its component.
    _place: Taken,
}

impl Guest {
    /// A store for a new instance of a component with these grants.
    pub(crate) fn store(
        engine: &Engine,
        grants: &Arc<Grants>,
        place: Taken,
        app: Weak<dyn Surroundings>,
    ) -> wasmtime::Result<Store<Self>> {
        let guest = Self {
            grants: grants.clone(),
            table: ResourceTable::new(),
            wasi: grants.wasi()?,
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(grants.clone(), app),
            memory: Memory { taken: grants.memory.nothing(), linear: 0, is_short: false },
            _place: place,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.memory);
        // A guest that computes gives way to the others on its thread, and ends once nobody waits for it.
        store.epoch_deadline_callback(|store| {
            if store.data().caller().is_gone() { Err(Abandoned.into()) } else { Ok(UpdateDeadline::Yield(1)) }
        });
        store.set_epoch_deadline(1);
        Ok(store)
    }

    /// From now on the instance is at work for `caller`, as a part of `trace`.
    pub(crate) fn begin(&mut self, caller: Caller, trace: Trace) {
        self.outgoing.begin(caller, trace);
    }

    /// Whether the app had no memory left when the instance asked for more.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        self.memory.is_short
    }

    /// Whom the instance is at work for.
    pub(crate) fn caller(&self) -> &Caller {
        self.outgoing.caller()
    }

    /// What the instance's work is a part of.
    pub(crate) fn trace(&self) -> &Trace {
        self.outgoing.trace()
    }
}

/// The linear memory of an instance.
struct Memory {
    taken: Taken,
    /// How much of it there is, in bytes; at least [`limits::LEAST_MEMORY`] is taken.
    linear: usize,
    /// Whether the instances of the app had no memory left when this one asked for more.
    is_short: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > limits::INSTANCE_MEMORY {
            return Ok(false);
        }
        let taken = |linear: usize| if linear == 0 { 0 } else { linear.max(limits::LEAST_MEMORY) };
        let linear = self.linear + (desired - current);
        let fits = self.taken.grow(taken(linear) - taken(self.linear));
        if fits {
            self.linear = linear;
        }
        self.is_short |= !fits;
        Ok(fits)
    }

    /// The pool from which tables come bounds them.
    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
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

//! Instances of a component: how they are made, how long they live, and what is known when one dies.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut, Trap};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::given::output::tell;
use crate::instances::caller::{Abandoned, Caller};
use crate::instances::component::Component;
use crate::instances::guest::Guest;
use crate::instances::outgoing::Surroundings;
use crate::limits;
use crate::observer::Trace;

/// Makes the instances of one component on one core.
pub(crate) struct Workers {
    component: Arc<Component>,
    app: Weak<dyn Surroundings>,
    at_work: Arc<AtWork>,
}

impl Workers {
    pub(crate) fn new(component: Arc<Component>, app: Weak<dyn Surroundings>, at_work: Arc<AtWork>) -> Self {
        Self { component, app, at_work }
    }
}

/// How many instances of a core are at work, on requests or on what goes on after their answers.
#[derive(Default)]
pub(crate) struct AtWork {
    count: AtomicUsize,
    ended: Notify,
}

impl AtWork {
    fn begin(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    fn end(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ended.notify_waiters();
        }
    }

    /// Waits until none is.
    pub(crate) async fn none(&self) {
        loop {
            let ended = self.ended.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl HandlerState for Workers {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Worker>> {
        let place = self.component.place();
        let place = place.ok_or_else(|| wasmtime::Error::msg("it has reached its limit of instances"))?;
        let (engine, grants) = (self.component.engine(), self.component.grants());
        let mut store = Guest::store(engine, grants, place, self.app.clone())?;
        let service = self.component.pre().instantiate_async(&mut store).await?;
        let request_limit = self.component.grants().request_limit;
        let expired = Arc::<AtomicBool>::default();
        let idle = Arc::new(AtomicBool::new(true));
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: WasiHttpView::http,
            expiration: Expiration {
                request_limit,
                expired: expired.clone(),
                idle: idle.clone(),
                at_work: self.at_work.clone(),
                sleep: Box::pin(tokio::time::sleep(limits::IDLE_INSTANCE)),
            },
            state: Worker {
                component: self.component.clone(),
                app: self.app.clone(),
                request_limit,
                expired,
                idle,
                at_work: self.at_work.clone(),
                failed: Failed::default(),
            },
        })
    }
}

/// Set when an instance died instead of finishing its work.
#[derive(Clone, Default)]
pub(crate) struct Failed(Arc<AtomicU8>);

impl Failed {
    const DIED: u8 = 1;
    const SHORT_OF_MEMORY: u8 = 2;

    fn set(&self, is_short_of_memory: bool) {
        self.0.store(if is_short_of_memory { Self::SHORT_OF_MEMORY } else { Self::DIED }, Ordering::Release);
    }

    /// Whether the instance died.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    /// Whether it died because the instances of the app had no memory left.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::SHORT_OF_MEMORY
    }
}

/// Handed in with a request; tells the instance whom it works for, and afterwards which instance took it.
#[derive(Default)]
pub(crate) struct Ticket {
    caller: Caller,
    trace: Trace,
    instance: OnceLock<Failed>,
}

impl Ticket {
    /// A ticket for a request that is a part of `trace`.
    pub(crate) fn new(trace: Trace) -> Arc<Self> {
        Arc::new(Self { trace, ..Self::default() })
    }

    /// The failure flag of the instance that took the request.
    pub(crate) fn instance(&self) -> Failed {
        self.instance.get().cloned().unwrap_or_default()
    }

    /// Whoever waits for the answer.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }
}

pub(crate) struct Worker {
    component: Arc<Component>,
    app: Weak<dyn Surroundings>,
    request_limit: Duration,
    /// Whether a request ended without an answer: its work ends with it, and the instance as well.
    expired: Arc<AtomicBool>,
    /// Whether nothing of earlier requests goes on.
    idle: Arc<AtomicBool>,
    at_work: Arc<AtWork>,
    failed: Failed,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Arc<Ticket>;

    /// One request at a time, with all that goes on after its answer: the model interface is synchronous, and so are the stores, so what
    /// waits for one of them would hold up the others of its instance.
    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if total_count >= limits::REQUESTS_PER_INSTANCE {
            ShouldAccept::Never
        } else if concurrent_count > 0 || !self.idle.load(Ordering::Acquire) {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        ticket: Arc<Ticket>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        if self.idle.swap(false, Ordering::AcqRel) {
            self.at_work.begin();
        }
        // A ticket is handed in once, so it is still empty.
        let _ = ticket.instance.set(self.failed.clone());
        let caller = ticket.caller();
        store.data_mut().begin(caller.clone(), ticket.trace.clone());
        let (limit, gone) = (tokio::time::sleep(self.request_limit), caller.gone());
        let expired = self.expired.clone();
        Box::pin(async move {
            tokio::select! {
                () = limit => {}
                () = gone => {}
            }
            expired.store(true, Ordering::Release);
        })
    }

    fn drop(&self, store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            // Before the store goes, and with it the bodies: they must not end as if they were whole.
            self.failed.set(store.data().is_short_of_memory());
            // One that nobody waited for any more was ended, and did nothing wrong.
            let was_ended = error.is::<Abandoned>() || store.data().caller().is_gone() && !error.is::<Trap>();
            // When the app goes, its instances go with it.
            if self.app.strong_count() > 0 && !was_ended {
                tell(&format!("{}: the instance died: {error:?}", self.component.id()));
            }
        }
        drop(store);
        if !self.idle.swap(true, Ordering::AcqRel) {
            self.at_work.end();
        }
    }
}

/// When an instance is given up: idle for a while, or busy for too long.
pub(crate) struct Expiration {
    request_limit: Duration,
    expired: Arc<AtomicBool>,
    idle: Arc<AtomicBool>,
    at_work: Arc<AtWork>,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if matches!(status, WorkerStatus::Idle) && !self.idle.swap(true, Ordering::AcqRel) {
            self.at_work.end();
            // The worker has last asked whether it may take a request when it was not idle yet: it is to ask again.
            context.waker().wake_by_ref();
        }
        let limit = match status {
            WorkerStatus::Idle => limits::IDLE_INSTANCE,
            // A little later than the request's own limit, which answers better.
            WorkerStatus::Requests => self.request_limit + limits::CAPACITY_WAIT,
            WorkerStatus::PostReturn if self.expired.load(Ordering::Acquire) => Duration::ZERO,
            WorkerStatus::PostReturn => limits::POST_RETURN,
        };
        let deadline = (start + limit).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

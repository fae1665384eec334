//! What outlives a request. An instance answers many, one after another or several at a time.

use std::cell::{Cell, RefCell};

use api::{Misconfigured, Recording, log::warn, settings};
use problem::Problem;
use rand::{
    SeedableRng,
    rngs::{SmallRng, SysRng},
};

thread_local! {
    static CURRENT: Cell<Option<&'static Instance>> = const { Cell::new(None) };
}

/// The state of this instance. Open stores are not part of it: what a label means may change between two requests.
pub(crate) struct Instance {
    pub(crate) settings: Recording,
    rng: RefCell<SmallRng>,
}

impl Instance {
    /// This instance's state, which the first request sets up. A mistake in a variable is not kept: the next request looks
    /// again.
    pub(crate) async fn get() -> Result<&'static Self, Problem> {
        if let Some(instance) = CURRENT.get() {
            return Ok(instance);
        }
        let settings = Self::settings().await.inspect_err(|error: &Misconfigured| warn(error))?;
        let rng = SmallRng::try_from_rng(&mut SysRng)
            .map_err(|_| Problem::internal("The system has no random numbers. Restart the app."))?;
        let instance = &*Box::leak(Box::new(Self { settings, rng: RefCell::new(rng) }));
        CURRENT.set(Some(instance));
        Ok(instance)
    }

    async fn settings() -> Result<Recording, Misconfigured> {
        let values = settings::load(Recording::VARIABLES).await?;
        Recording::parse(values.each_ref().map(String::as_str))
    }

    /// Does something with this instance's random numbers.
    pub(crate) fn with_rng<T>(&self, work: impl FnOnce(&mut SmallRng) -> T) -> T {
        work(&mut self.rng.borrow_mut())
    }
}

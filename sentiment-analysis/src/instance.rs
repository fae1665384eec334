//! What outlives a request. An instance answers many, one after another or several at a time.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use api::{Misconfigured, Problem, log::warn};
use experiment::{Assignment, Fallback, Origin, Prompt, Variant, VisitorId, spin::StoreError};
use rand::{
    SeedableRng,
    rngs::{SmallRng, SysRng},
};
use sentiment::DEFAULT_PROMPT;
use spin_sdk::http::{HeaderMap, StatusCode};

use crate::{config::Config, log};

thread_local! {
    static CURRENT: Cell<Option<&'static Instance>> = const { Cell::new(None) };
}

/// The state of this instance. Open stores are not part of it: what a label means may change between two requests.
pub(crate) struct Instance {
    pub(crate) config: Config,
    rng: RefCell<SmallRng>,
    /// The prompt last seen in each variant's store, by the variant's place.
    prompts: RefCell<Vec<Option<Rc<Prompt>>>>,
}

impl Instance {
    /// This instance's state, which the first request sets up. A mistake in a variable is not kept: the next request looks
    /// again.
    pub(crate) async fn get() -> Result<&'static Self, Problem> {
        if let Some(instance) = CURRENT.get() {
            return Ok(instance);
        }
        let config = Config::load().await.inspect_err(|error: &Misconfigured| warn(error))?;
        let instance = &*Box::leak(Box::new(Self::new(config)?));
        CURRENT.set(Some(instance));
        log::experiment(&instance.config.experiment);
        Ok(instance)
    }

    fn new(config: Config) -> Result<Self, Problem> {
        let rng = SmallRng::try_from_rng(&mut SysRng).map_err(|_| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The system has no random numbers. Restart the app.",
            )
        })?;
        let prompts = vec![None; config.experiment.variants().len()];
        Ok(Self { config, rng: RefCell::new(rng), prompts: RefCell::new(prompts) })
    }

    /// Assigns a variant to a request; with it the cookie to set, for a new visitor.
    pub(crate) fn assign(&self, headers: &HeaderMap) -> (&Variant, Option<String>) {
        let experiment = &self.config.experiment;
        let visitor = match self.config.assignment {
            Assignment::Random => None,
            Assignment::Visitor => visitor(headers).map(|visitor| (visitor, None)).or_else(|| {
                let visitor = VisitorId::random(&mut SysRng).ok()?;
                Some((visitor, Some(visitor.set_cookie())))
            }),
        };
        match visitor {
            Some((visitor, cookie)) => (experiment.assign_visitor(visitor.as_str()), cookie),
            None => (experiment.assign(&mut *self.rng.borrow_mut()), None),
        }
    }

    /// The prompt of a variant, given what its store holds. It is hashed only when it has changed, and a line in the log
    /// says once why the default prompt is used.
    pub(crate) fn prompt(
        &self,
        variant: &Variant,
        value: Result<Option<Vec<u8>>, &StoreError>,
    ) -> Rc<Prompt> {
        let mut prompts = self.prompts.borrow_mut();
        let place = self.config.experiment.position(variant.label());
        let mut nowhere = None;
        let known = place.and_then(|place| prompts.get_mut(place)).unwrap_or(&mut nowhere);
        if let (Some(prompt), Ok(Some(value))) = (&known, &value)
            && prompt.origin() == &Origin::Store
            && prompt.text().as_bytes() == value
        {
            return Rc::clone(prompt);
        }
        let prompt = Rc::new(match value {
            Ok(value) => Prompt::from_store(value, DEFAULT_PROMPT),
            Err(error) => Prompt::fallback(Fallback::Unreadable(error.to_string()), DEFAULT_PROMPT),
        });
        if known.as_ref() != Some(&prompt)
            && let Origin::Default(reason) = prompt.origin()
        {
            warn(format_args!("{}: the default prompt is used, because {reason}", variant.label()));
        }
        *known = Some(Rc::clone(&prompt));
        prompt
    }
}

/// The visitor that a request comes from.
fn visitor(headers: &HeaderMap) -> Option<VisitorId> {
    headers.get_all("cookie").iter().find_map(|header| VisitorId::from_cookies(header.to_str().ok()?))
}

//! What outlives a request. An instance answers many, one after another or several at a time.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use api::{Answering, Misconfigured, log::warn, settings, visitor};
use experiment::{Assignment, Fallback, Origin, Prompt, Variant, VisitorId};
use problem::Problem;
use rand::{
    SeedableRng,
    rngs::{SmallRng, SysRng},
};
use sentiment::DEFAULT_PROMPT;
use spin_sdk::http::HeaderMap;

use crate::log;

thread_local! {
    static CURRENT: Cell<Option<&'static Instance>> = const { Cell::new(None) };
}

/// The state of this instance. Open stores are not part of it: what a label means may change between two requests.
pub(crate) struct Instance {
    pub(crate) settings: Answering,
    rng: RefCell<SmallRng>,
    /// What was last seen in each variant's store, by the variant's place.
    prompts: RefCell<Vec<Option<Seen>>>,
}

/// What a store holds under the prompt's key, or why it cannot be read.
type PromptValue = Result<Option<Vec<u8>>, String>;

/// A prompt and what it was made of.
struct Seen {
    value: PromptValue,
    prompt: Rc<Prompt>,
}

impl Instance {
    /// This instance's state, which the first request sets up. A mistake in a variable is not kept: the next request looks
    /// again.
    pub(crate) async fn get() -> Result<&'static Self, Problem> {
        if let Some(instance) = CURRENT.get() {
            return Ok(instance);
        }
        let settings = Self::settings().await.inspect_err(|error: &Misconfigured| warn(error))?;
        let instance = &*Box::leak(Box::new(Self::new(settings)?));
        CURRENT.set(Some(instance));
        log::experiment(
            &instance.settings.experiment,
            &instance.settings.model,
            instance.settings.assignment.as_str(),
        );
        Ok(instance)
    }

    async fn settings() -> Result<Answering, Misconfigured> {
        let values = settings::load(Answering::VARIABLES).await?;
        Answering::parse(values.each_ref().map(String::as_str))
    }

    fn new(settings: Answering) -> Result<Self, Problem> {
        let rng = SmallRng::try_from_rng(&mut SysRng)
            .map_err(|_| Problem::internal("The system has no random numbers. Restart the app."))?;
        let prompts = settings.experiment.variants().iter().map(|_| None).collect();
        Ok(Self { settings, rng: RefCell::new(rng), prompts: RefCell::new(prompts) })
    }

    /// Assigns a variant to a request; with it the cookie to set, for a new visitor.
    pub(crate) fn assign(&self, headers: &HeaderMap) -> (&Variant, Option<String>) {
        let experiment = &self.settings.experiment;
        let visitor = match self.settings.assignment {
            Assignment::Random => None,
            Assignment::Visitor => visitor::of(headers).map(|visitor| (visitor, None)).or_else(|| {
                let visitor = new_visitor()?;
                Some((visitor, Some(visitor.set_cookie())))
            }),
        };
        match visitor {
            Some((visitor, cookie)) => (experiment.assign_visitor(visitor.as_str()), cookie),
            None => (experiment.assign(&mut *self.rng.borrow_mut()), None),
        }
    }

    /// The prompt of a variant, given what its store holds or why that cannot be read. It is hashed only when that has changed,
    /// and a line in the log says then why the default prompt is used.
    pub(crate) fn prompt(&self, variant: &Variant, value: PromptValue) -> Rc<Prompt> {
        let mut prompts = self.prompts.borrow_mut();
        let place = self.settings.experiment.position(variant.label());
        let mut nowhere = None;
        let seen = place.and_then(|place| prompts.get_mut(place)).unwrap_or(&mut nowhere);
        if let Some(seen) = seen
            && seen.value == value
        {
            return Rc::clone(&seen.prompt);
        }
        let prompt = Rc::new(match value.clone() {
            Ok(value) => Prompt::from_store(value, DEFAULT_PROMPT),
            Err(reason) => Prompt::fallback(Fallback::Unreadable(reason), DEFAULT_PROMPT),
        });
        if let Origin::Default(reason) = prompt.origin() {
            warn(format_args!("{}: the default prompt is used because {reason}", variant.label()));
        }
        *seen = Some(Seen { value, prompt: Rc::clone(&prompt) });
        prompt
    }
}

/// A visitor who has not been here; `None` if the system has no random numbers.
pub(crate) fn new_visitor() -> Option<VisitorId> {
    VisitorId::random(&mut SysRng).ok()
}

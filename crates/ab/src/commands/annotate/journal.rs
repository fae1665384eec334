//! The journal's store, as it is worked on here: in place, beside an app that may run.

use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use experiment::journal::{Annotation, Draw, Evidence, Given, LABEL, Queue, Round};
use experiment::timestamp;
use rand::Rng;
use sentiment::Outcome;

use crate::results::live;
use crate::terminal::{Printer, failure, program};
use crate::workspace::{OpenStore, Target, Workspace};

/// The journal of an app, and the prompts that are compared.
pub(super) struct Journal {
    store: OpenStore,
    round: Round,
}

/// What the journal holds at one moment.
pub(super) struct State {
    pub(super) evidence: Evidence,
    round: Round,
    /// What each draw that is kept is of, by its sentence.
    draws: BTreeMap<String, Draw>,
    /// The keys of all annotations.
    annotated: HashSet<String>,
    /// Annotations of sentences that were not drawn.
    pub(super) others: Vec<Annotation>,
}

/// What came of an annotation.
pub(super) struct Kept {
    /// What the same person said before.
    pub(super) before: Option<Given>,
    /// What people say now.
    pub(super) annotation: Annotation,
}

impl Journal {
    /// Opens the journal of an app.
    ///
    /// # Errors
    ///
    /// The app has no experiment or no journal, or a store cannot be read.
    pub(super) fn open(workspace: &Workspace, printer: Printer) -> anyhow::Result<Self> {
        if !workspace.links().contains_key(LABEL) {
            let app = &workspace.app.name;
            return Err(failure(format!("app \"{app}\" has no store linked with the label \"{LABEL}\""))
                .hint(format!(
                    "annotations are kept there: `{0} kv create {LABEL}` and `{0} link key-value {LABEL} --store {LABEL}` make one",
                    program()
                ))
                .into());
        }
        let round = live::round(workspace, printer)?;
        let found = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
        Ok(Self { store: workspace.open_store(&found, printer)?, round })
    }

    /// Whether there are different prompts to compare.
    pub(super) fn compares(&self) -> bool {
        self.round.prompts().len() > 1
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(super) fn read(&self) -> anyhow::Result<State> {
        let mut state = State {
            evidence: Evidence::new(self.round.clone()),
            round: self.round.clone(),
            draws: BTreeMap::new(),
            annotated: HashSet::new(),
            others: Vec::new(),
        };
        self.store.for_each(|key, value| {
            state.evidence.take(key, value);
            if self.round.has_slot(key) {
                state.draws.extend(Draw::from_json(value).map(|draw| (draw.sentence.clone(), draw)));
            } else if Round::is_annotation(key) {
                state.annotated.insert(key.to_owned());
                if Round::is_of_other(key) {
                    state.others.extend(Annotation::from_json(value));
                }
            }
            anyhow::Ok(())
        })?;
        Ok(state)
    }

    /// Keeps what a person says of a sentence: `None` if they cannot tell. What they said before already stays as it is.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written.
    pub(super) fn say(
        &self,
        state: &State,
        sentence: &str,
        who: &str,
        expected: Option<Outcome>,
    ) -> anyhow::Result<Kept> {
        let expected = expected.map(|outcome| outcome.as_str().to_owned());
        self.keep(state, sentence, who, &Given { expected, at: timestamp(SystemTime::now()) })
    }

    /// Takes back what a person said last, and puts what they said before in its place.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written.
    pub(super) fn undo(
        &self,
        state: &State,
        sentence: &str,
        who: &str,
        before: Option<&Given>,
    ) -> anyhow::Result<()> {
        if let Some(before) = before {
            return self.keep(state, sentence, who, before).map(drop);
        }
        let (key, _) = state.place(sentence);
        let mut last = false;
        self.change(&key, |current| {
            let annotation = Annotation::without(current, who)?;
            last = annotation.given.is_empty();
            Some(annotation)
        })?;
        if last {
            self.store.delete(&[key])?;
        }
        Ok(())
    }

    fn keep(&self, state: &State, sentence: &str, who: &str, given: &Given) -> anyhow::Result<Kept> {
        let (key, draw) = state.place(sentence);
        let mut kept = None;
        self.change(&key, |current| {
            let known = current.and_then(Annotation::from_json);
            let before = known.as_ref().and_then(|annotation| annotation.given.get(who)).cloned();
            let is_new = before.as_ref().is_none_or(|before| before.expected != given.expected);
            let annotation = if is_new {
                Annotation::with(current, &draw, who, given.clone())
            } else {
                known.unwrap_or_default()
            };
            kept = Some(Kept { before, annotation: annotation.clone() });
            is_new.then_some(annotation)
        })?;
        kept.ok_or_else(|| failure("nothing was kept").into())
    }

    /// Puts what `change` makes of a value in its place, however many others change it at the same time; `None` leaves it.
    fn change(
        &self,
        key: &str,
        mut change: impl FnMut(Option<&[u8]>) -> Option<Annotation>,
    ) -> anyhow::Result<()> {
        loop {
            let current = self.store.get(key)?;
            let Some(annotation) = change(current.as_deref()) else { return Ok(()) };
            let value = serde_json::to_vec(&annotation)?;
            let swap =
                async |store: &stores::Store| store.compare_and_swap(key, current.as_deref(), value).await;
            if self.store.ask(swap)? {
                return Ok(());
            }
        }
    }
}

impl State {
    /// The sentences that nobody has annotated yet.
    pub(super) fn queue(&self, rng: &mut impl Rng) -> Queue {
        let is_annotated = |sentence: &str| self.annotated.contains(&self.round.annotation_key(sentence));
        Queue::new(self.draws.values().cloned(), is_annotated, rng)
    }

    /// Whether an annotation of a sentence decides between the prompts.
    pub(super) fn was_drawn(&self, sentence: &str) -> bool {
        self.draws.contains_key(sentence) || self.annotated.contains(&self.round.annotation_key(sentence))
    }

    /// The key of a sentence's annotation, and what the prompts made of it where nobody has annotated it yet.
    fn place(&self, sentence: &str) -> (String, Draw) {
        let draw = self.draws.get(sentence).cloned().unwrap_or_else(|| Draw::new(sentence));
        let drawn = self.was_drawn(sentence);
        let key = if drawn { self.round.annotation_key(sentence) } else { Round::key_of_other(sentence) };
        (key, draw)
    }
}

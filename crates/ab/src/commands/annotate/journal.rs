//! The journal of an app, worked on in place, beside an app that may run.

use std::time::SystemTime;

use experiment::journal::{Annotation, Evidence, Given, Journal, Kept, LABEL, Queue, Round};
use experiment::timestamp;
use rand::Rng;
use sentiment::Outcome;

use crate::results::live;
use crate::terminal::{Printer, failure, program};
use crate::workspace::{OpenStore, Target, Workspace};

/// The journal of an app, and the prompts that its variants have right now.
pub(super) struct AppJournal {
    journal: Journal<OpenStore>,
    round: Round,
}

impl AppJournal {
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
                    "annotations are kept there; to make one: `{0} kv create {LABEL}` and `{0} link key-value {LABEL} --store {LABEL}`",
                    program()
                ))
                .into());
        }
        let round = live::round(workspace, printer)?;
        let found = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
        Ok(Self { journal: Journal::new(workspace.open_store(&found, printer)?), round })
    }

    /// Whether there are different prompts to compare.
    pub(super) fn compares(&self) -> bool {
        self.round.prompts().len() > 1
    }

    /// What people have said so far.
    pub(super) fn evidence(&self) -> anyhow::Result<Evidence> {
        self.journal.evidence(self.round.clone())
    }

    /// The sentences of which nobody has said anything.
    pub(super) fn queue(&self, evidence: &Evidence, rng: &mut impl Rng) -> anyhow::Result<Queue> {
        self.journal.queue(evidence, rng)
    }

    /// The annotations of sentences that were not drawn.
    pub(super) fn others(&self) -> anyhow::Result<Vec<Annotation>> {
        self.journal.others()
    }

    /// Keeps what a person says about a sentence: `None` if they cannot tell.
    pub(super) fn say(&self, sentence: &str, who: &str, expected: Option<Outcome>) -> anyhow::Result<Kept> {
        let expected = expected.map(|outcome| outcome.as_str().to_owned());
        let given = Given { expected, at: timestamp(SystemTime::now()) };
        self.journal.annotate(&self.round, sentence, who, &given)
    }

    /// Takes back what a person said last, and puts what they said before in its place.
    pub(super) fn undo(&self, sentence: &str, who: &str, before: Option<&Given>) -> anyhow::Result<()> {
        match before {
            Some(before) => self.journal.annotate(&self.round, sentence, who, before).map(drop),
            None => self.journal.retract(&self.round, sentence, who),
        }
    }
}

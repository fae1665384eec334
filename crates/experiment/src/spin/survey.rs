//! All observations of an experiment, read a batch at a time.

use std::mem;

use serde::Serialize;

use super::{Store, StoreError};
use crate::{
    Experiment, PROMPT_KEY, Prompt,
    analysis::{Analysis, CurrentVariant, Observation, Outcomes, Plan, Report},
    record::{Answer, Record},
};

/// How many records are read in one host call.
const BATCH: usize = 200;

/// Reads the records in the stores of an experiment's variants, and reports.
///
/// Each step of the iterator lists the keys of a store or reads a batch of its records, and says how far it has come; between
/// two steps nothing of a store is held, so that a caller may take its time, and let others go on. Keys are held while their
/// store is read; records are not. After an error there are no more steps.
///
/// ```no_run
/// # use experiment::{Answer, Experiment, analysis::{Outcomes, Report}, spin::{StoreError, Survey}};
/// # fn results<A: Answer>(experiment: &Experiment, name: fn(&A) -> &str) -> Result<Report, StoreError> {
/// let mut survey = Survey::<A>::start(experiment, "llama2-chat", "{SENTENCE}", Outcomes::new(["high", "low"], "unclear"), name)?;
/// for progress in &mut survey {
///     let progress = progress?;
///     eprintln!("{}: {} of {}", progress.label, progress.read, progress.total);
/// }
/// Ok(survey.report())
/// # }
/// ```
pub struct Survey<A> {
    analysis: Analysis,
    name: fn(&A) -> &str,
    /// Every variant's store, opened at the start: a link that changes meanwhile does not mix two stores.
    stores: Vec<Store<'static>>,
    /// The one that is being read.
    variant: usize,
    /// Its keys, once they are known.
    keys: Option<Vec<String>>,
    /// How many of them have been read.
    read: usize,
}

/// How far a survey has come.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// The label of the store that is being read.
    pub label: String,
    /// Its place among the experiment's variants, from 1.
    pub variant: usize,
    /// How many variants there are.
    pub variants: usize,
    /// Keys read.
    pub read: usize,
    /// Keys in the store.
    pub total: usize,
}

impl<A: Answer> Survey<A> {
    /// Opens the stores of an experiment and reads their prompts. Observations of other prompts than those, or of another
    /// `model`, count as stale. `name` says what an answer is called among the `outcomes`.
    pub fn start(
        experiment: &Experiment,
        model: &str,
        default_prompt: &str,
        outcomes: Outcomes,
        name: fn(&A) -> &str,
    ) -> Result<Self, StoreError> {
        let mut stores = Vec::new();
        let mut variants = Vec::new();
        for variant in experiment.variants() {
            let store = Store::open(variant.label().to_owned())?;
            let prompt = Prompt::from_store(store.read_prompt()?, default_prompt);
            variants.push(CurrentVariant::new(
                variant.label(),
                variant.weight(),
                prompt.fingerprint(),
                model,
            ));
            stores.push(store);
        }
        let analysis = Analysis::new(outcomes, variants, Plan::default());
        Ok(Self { analysis, name, stores, variant: 0, keys: None, read: 0 })
    }

    /// What the observations read so far say.
    pub fn report(&self) -> Report {
        self.analysis.report()
    }

    fn step(&mut self) -> Result<Option<Progress>, StoreError> {
        if self.keys.as_ref().is_some_and(|keys| keys.len() == self.read) {
            (self.variant, self.keys, self.read) = (self.variant + 1, None, 0);
        }
        let Some(store) = self.stores.get(self.variant) else { return Ok(None) };
        if let Some(keys) = &mut self.keys {
            let end = keys.len().min(self.read + BATCH);
            // The batch's keys are not needed again.
            let batch: Vec<_> = keys[self.read..end].iter_mut().map(mem::take).collect();
            for (key, value) in store.read_many(&batch)? {
                if let Some(record) = Record::from_json(&value) {
                    let observation = Observation::of_record(&record, self.name);
                    self.analysis.observe_sentence(self.variant, &key, &observation);
                }
            }
            self.read = end;
        } else {
            let mut keys = store.keys()?;
            keys.retain(|key| key != PROMPT_KEY);
            self.keys = Some(keys);
        }
        Ok(Some(Progress {
            label: store.label.to_string(),
            variant: self.variant + 1,
            variants: self.stores.len(),
            read: self.read,
            total: self.keys.as_ref().map_or(0, Vec::len),
        }))
    }
}

impl<A: Answer> Iterator for Survey<A> {
    type Item = Result<Progress, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.stores.clear();
        }
        step.transpose()
    }
}

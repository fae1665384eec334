//! All observations of an experiment, read a batch at a time.

use std::mem;

use super::{
    journal::Journal,
    store::{Store, StoreError},
};
use crate::{
    Experiment, PROMPT_KEY, Prompt,
    analysis::{Analysis, CurrentVariant, Observation, Outcomes, Plan, Progress, Report},
    record::{Answer, Record},
};

/// How many records are read in one host call.
const BATCH: usize = 200;

/// Reads the records in the stores of an experiment's variants, and reports.
///
/// Each step of the iterator lists the keys of a store or reads a batch of its records, and says how far the survey has come.
/// Between two steps no store is held up, so a caller may take its time and let others go on. The keys of the store that is
/// being read are kept in memory; records are not. After an error there are no more steps.
pub struct Survey<A> {
    analysis: Analysis,
    name: fn(&A) -> &str,
    /// Every variant's store, opened at the start, so that a link that changes in between does not mix two stores.
    stores: Vec<Store<'static>>,
    /// The one that is being read.
    variant: usize,
    /// Its keys, once they are known.
    keys: Option<Vec<String>>,
    /// How many of them have been read.
    read: usize,
}

impl<A: Answer> Survey<A> {
    /// Opens the stores of an experiment, reads their prompts and what the journal holds. Observations of other prompts than those, or of another
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
        let mut analysis = Analysis::new(outcomes, variants, Plan::default());
        match Journal::open() {
            Ok(journal) => analysis.judge(journal.evidence(analysis.round())?),
            // An experiment without annotations.
            Err(StoreError::NotGranted { .. } | StoreError::NotLinked { .. }) => {}
            Err(error) => return Err(error),
        }
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

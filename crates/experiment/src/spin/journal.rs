//! The journal, open for one request.

use std::collections::HashSet;

use rand::Rng;

use super::store::{Store, StoreError};
use crate::{
    Fingerprint,
    analysis::Observation,
    journal::{
        Annotation, Draw, Evidence, Given, LABEL, Queue, Round, Stratum, counter,
        limits::{Admission, Limits, Window},
        tally::{self, INDEX_KEY, Source, Tally},
    },
};

/// How many values are read in one host call.
const BATCH: usize = 200;

/// The journal's store, open for one request.
pub struct Journal {
    store: Store<'static>,
}

impl Journal {
    /// Opens it. One host call.
    pub fn open() -> Result<Self, StoreError> {
        Ok(Self { store: Store::open(LABEL)? })
    }

    /// Counts a sentence that all prompts of the round have answered, and keeps it where it falls into a slot. Three host calls.
    pub fn draw(&self, round: &Round, draw: &Draw, rng: &mut impl Rng) -> Result<(), StoreError> {
        let stratum = draw.stratum();
        let number = self.store.count(&round.counter_key(stratum))?;
        match stratum.slot(number, rng) {
            Some(slot) => self.store.set(round.slot_key(stratum, slot), serde_json::to_vec(draw)?),
            None => Ok(()),
        }
    }

    /// Counts a new sentence from an address, if the limits allow one more. One host call, and two more where they do: whoever is refused
    /// changes nothing.
    pub fn admit(&self, limits: Limits, window: Window, address: &str) -> Result<Admission, StoreError> {
        let keys = [window.key_of(address), window.key_of_all()];
        let known = self.store.read_many(&keys)?;
        let known = keys.each_ref().map(|key| known.iter().find(|(known, _)| known == key));
        let known = known.map(|entry| entry.map(|(_, value)| &**value));
        let [by_address, in_all] = known.map(|value| value.and_then(counter::read).unwrap_or(0));
        if let Some(reached) = limits.reached(by_address, in_all) {
            return Ok(Admission::Refused(reached));
        }
        // Others may have been counted since, so the sums decide.
        let [address, all] = &keys;
        let count = |key, known| -> Result<u64, StoreError> {
            Ok(u64::try_from(self.store.add(key, 1, known)?).unwrap_or(0).saturating_sub(1))
        };
        let by_address = count(address, known[0])?;
        if let Some(reached) = limits.reached(by_address, 0) {
            return Ok(Admission::Refused(reached));
        }
        let in_all = count(all, known[1])?;
        match limits.reached(0, in_all) {
            Some(reached) => Ok(Admission::Refused(reached)),
            None => Ok(Admission::Admitted { is_first: in_all == 0 }),
        }
    }

    /// Deletes the counters of new sentences that nobody counts in any more.
    pub fn forget_counts_before(&self, window: Window) -> Result<(), StoreError> {
        let outlived: Vec<_> = self.keys()?.into_iter().filter(|key| window.has_outlived(key)).collect();
        outlived.chunks(BATCH).try_for_each(|keys| self.store.delete_many(keys))
    }

    /// At most `wanted` sentences that nobody has annotated for this round.
    pub fn next(&self, round: &Round, wanted: usize, rng: &mut impl Rng) -> Result<Vec<String>, StoreError> {
        let keys: HashSet<String> = self.store.keys()?.into_iter().collect();
        let mut draws = Vec::new();
        for stratum in Stratum::ALL {
            draws.extend(self.draws(round, stratum)?);
        }
        let is_annotated = |sentence: &str| keys.contains(&round.annotation_key(sentence));
        let mut queue = Queue::new(draws, is_annotated, rng);
        Ok(std::iter::from_fn(|| queue.next(rng)).take(wanted).collect())
    }

    /// Keeps what a person says of a sentence, in place of what they said before. It decides if the sentence was drawn for the round.
    pub fn annotate(
        &self,
        round: &Round,
        sentence: &str,
        who: &str,
        given: &Given,
    ) -> Result<(), StoreError> {
        let drawn = self.drawn(round, sentence)?;
        let key =
            if drawn.is_some() { round.annotation_key(sentence) } else { Round::key_of_other(sentence) };
        let draw = drawn.unwrap_or_else(|| Draw::new(sentence));
        self.store.change(&key, |current| {
            Ok(Some(serde_json::to_vec(&Annotation::with(current, &draw, who, given.clone()))?))
        })
    }

    /// Takes back what a person said of a sentence, if they said anything.
    pub fn retract(&self, round: &Round, sentence: &str, who: &str) -> Result<(), StoreError> {
        for key in [round.annotation_key(sentence), Round::key_of_other(sentence)] {
            let mut last = false;
            self.store.change(&key, |current| {
                let Some(annotation) = Annotation::without(current, who) else { return Ok(None) };
                last = annotation.given.is_empty();
                Ok(Some(serde_json::to_vec(&annotation)?))
            })?;
            if last {
                self.store.delete(key)?;
            }
        }
        Ok(())
    }

    /// All that the journal says of the prompts of a round.
    pub fn evidence(&self, round: Round) -> Result<Evidence, StoreError> {
        self.evidence_in(&self.keys()?, round)
    }

    /// The same, `keys` being those of the journal.
    pub(super) fn evidence_in(&self, keys: &[String], round: Round) -> Result<Evidence, StoreError> {
        let mut keys: Vec<_> = keys.iter().filter(|key| Round::is_annotation(key)).cloned().collect();
        keys.extend(Stratum::ALL.map(|stratum| round.counter_key(stratum)));
        let mut evidence = Evidence::new(round);
        for keys in keys.chunks(BATCH) {
            for (key, value) in self.store.read_many(keys)? {
                evidence.take(&key, &value);
            }
        }
        Ok(evidence)
    }

    /// All keys: those of annotations, of draws that are kept, and of counters.
    pub(super) fn keys(&self) -> Result<Vec<String>, StoreError> {
        self.store.keys()
    }

    /// Counts that one observation has taken the place of another, or of none, in the store of `label`. A host call, and one for each
    /// counter that changes: for a new observation five.
    pub fn tally(
        &self,
        label: &str,
        old: Option<&Observation<'_>>,
        new: Option<&Observation<'_>>,
    ) -> Result<(), StoreError> {
        let changes = tally::changes(old, new);
        let mut keys: Vec<String> = changes.keys().cloned().collect();
        keys.push(INDEX_KEY.to_owned());
        let known = self.store.read_many(&keys)?;
        for (key, change) in changes {
            self.store.add(
                &key,
                change,
                known.iter().find(|(known, _)| *known == key).map(|(_, value)| &**value),
            )?;
        }
        let Some(observation) = new else { return Ok(()) };
        let is_listed = |value: &[u8]| {
            Source::list(value).iter().any(|source| source.is(observation.prompt, observation.model))
        };
        if known.iter().any(|(key, value)| key == INDEX_KEY && is_listed(value)) {
            return Ok(());
        }
        self.store.change(INDEX_KEY, |current| {
            let mut sources = current.map(Source::list).unwrap_or_default();
            if current.is_some_and(is_listed) {
                return Ok(None);
            }
            sources.push(Source::of(label, observation));
            Ok(Some(serde_json::to_vec(&sources)?))
        })
    }

    /// The prompts and models of which there are tallies.
    pub(super) fn sources(&self) -> Result<Vec<Source>, StoreError> {
        Ok(self.store.read_one(INDEX_KEY)?.map(|value| Source::list(&value)).unwrap_or_default())
    }

    /// How many observations there are of some prompts and models.
    pub(super) fn observations<'s>(
        &self,
        sources: impl Iterator<Item = &'s Source>,
    ) -> Result<u64, StoreError> {
        let keys: Vec<_> = sources.map(Source::n_key).collect();
        let mut sum = 0;
        for keys in keys.chunks(BATCH) {
            let values = self.store.read_many(keys)?;
            sum += values.iter().filter_map(|(_, value)| counter::read(value)).sum::<u64>();
        }
        Ok(sum)
    }

    /// What was counted of a prompt and a model, `keys` being those of the journal.
    pub(super) fn tally_of(
        &self,
        keys: &[String],
        prompt: Fingerprint,
        model: &str,
    ) -> Result<Tally, StoreError> {
        let start = Tally::start(prompt, model);
        let keys: Vec<_> = keys.iter().filter(|key| key.starts_with(&start)).cloned().collect();
        let mut tally = Tally::default();
        for keys in keys.chunks(BATCH) {
            for (key, value) in self.store.read_many(keys)? {
                tally.take(&key, &value);
            }
        }
        Ok(tally)
    }

    /// What was drawn for a sentence, if it was: found among the draws that are kept, or with its annotation.
    fn drawn(&self, round: &Round, sentence: &str) -> Result<Option<Draw>, StoreError> {
        if let Some(value) = self.store.read_one(&round.annotation_key(sentence))?
            && let Some(annotation) = Annotation::from_json(&value)
        {
            return Ok(Some(annotation.draw));
        }
        for stratum in Stratum::ALL {
            let mut draws = self.draws(round, stratum)?.into_iter();
            if let Some(draw) = draws.find(|draw| draw.sentence == sentence) {
                return Ok(Some(draw));
            }
        }
        Ok(None)
    }

    /// The draws that are kept.
    fn draws(&self, round: &Round, stratum: Stratum) -> Result<Vec<Draw>, StoreError> {
        let number = self.store.read_one(&round.counter_key(stratum))?;
        let number = number.as_deref().and_then(counter::read).unwrap_or(0);
        let keys: Vec<_> =
            (0..number.min(stratum.slots())).map(|slot| round.slot_key(stratum, slot)).collect();
        let mut draws = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH) {
            let values = self.store.read_many(keys)?;
            draws.extend(values.iter().filter_map(|(_, value)| Draw::from_json(value)));
        }
        Ok(draws)
    }
}

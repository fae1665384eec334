//! The journal, open for one request.

use std::collections::HashSet;

use rand::{Rng, RngExt as _, seq::SliceRandom as _};

use super::store::{Store, StoreError};
use crate::journal::{Annotation, Draw, Evidence, Given, LABEL, Round, Stratum, counter};

/// How many values are read in one host call.
const BATCH: usize = 200;

/// One of so many sentences to annotate is one on which the prompts agree.
const ONE_AGREES_IN: u32 = 10;

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

    /// At most `wanted` sentences that nobody has annotated for this round, in random order: one in ten is one on which the prompts
    /// agree, as long as there are others.
    pub fn next(&self, round: &Round, wanted: usize, rng: &mut impl Rng) -> Result<Vec<String>, StoreError> {
        let keys: HashSet<String> = self.store.keys()?.into_iter().collect();
        let mut waiting = |stratum| -> Result<Vec<String>, StoreError> {
            let draws = self.draws(round, stratum)?.into_iter();
            let mut sentences: Vec<_> = draws
                .map(|draw| draw.sentence)
                .filter(|sentence| !keys.contains(&round.annotation_key(sentence)))
                .collect();
            sentences.sort_unstable();
            sentences.dedup();
            sentences.shuffle(rng);
            Ok(sentences)
        };
        let (mut differ, mut agree) = (waiting(Stratum::Differ)?, waiting(Stratum::Agree)?);
        let mut next = Vec::with_capacity(wanted);
        while next.len() < wanted {
            let agrees = rng.random_ratio(1, ONE_AGREES_IN);
            let (first, second) = if agrees { (&mut agree, &mut differ) } else { (&mut differ, &mut agree) };
            let Some(sentence) = first.pop().or_else(|| second.pop()) else { break };
            next.push(sentence);
        }
        Ok(next)
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
        self.store.change(&key, |current| {
            let known = current.and_then(Annotation::from_json);
            let mut annotation = known.unwrap_or_else(|| Annotation {
                draw: drawn.clone().unwrap_or_else(|| Draw::new(sentence)),
                ..Annotation::default()
            });
            annotation.given.insert(who.to_owned(), given.clone());
            Ok(Some(serde_json::to_vec(&annotation)?))
        })
    }

    /// Takes back what a person said of a sentence, if they said anything.
    pub fn retract(&self, round: &Round, sentence: &str, who: &str) -> Result<(), StoreError> {
        for key in [round.annotation_key(sentence), Round::key_of_other(sentence)] {
            let mut last = false;
            self.store.change(&key, |current| {
                let Some(mut annotation) = current.and_then(Annotation::from_json) else { return Ok(None) };
                if annotation.given.remove(who).is_none() {
                    return Ok(None);
                }
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
        let mut keys = self.store.keys()?;
        keys.retain(|key| Round::is_annotation(key));
        keys.extend(Stratum::ALL.map(|stratum| round.counter_key(stratum)));
        let mut evidence = Evidence::new(round);
        for keys in keys.chunks(BATCH) {
            for (key, value) in self.store.read_many(keys)? {
                evidence.take(&key, &value);
            }
        }
        Ok(evidence)
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

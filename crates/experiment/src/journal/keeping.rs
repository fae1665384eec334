//! What is written to the journal and read from it, and in which order.

use std::collections::HashSet;

use rand::Rng;

use crate::{counter, key_values::KeyValues};

use super::{Annotation, Draw, Evidence, Given, Queue, Round, Stratum, round::ROUNDS_KEY};

/// A journal in a store.
#[derive(Debug)]
pub struct Journal<S> {
    pub(super) store: S,
}

/// The result of an annotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What the same person had said before.
    pub before: Option<Given>,
    /// What people say now.
    pub annotation: Annotation,
}

impl Kept {
    /// Whether the sentence was drawn, so that what is said about it decides.
    pub fn decides(&self) -> bool {
        !self.annotation.draw.answers.is_empty()
    }
}

impl<S: KeyValues> Journal<S> {
    /// The journal that the store holds.
    pub const fn new(store: S) -> Self {
        Self { store }
    }

    /// Counts a sentence that all prompts of the round have answered, and keeps it where it falls into a slot.
    pub fn draw(&self, round: &Round, draw: &Draw, rng: &mut impl Rng) -> Result<(), S::Error> {
        let stratum = draw.stratum();
        let number = self.store.count(&round.counter_key(stratum))?;
        match stratum.slot(number, rng) {
            Some(slot) => self.store.set(&round.slot_key(stratum, slot), serde_json::to_vec(draw)?),
            None => Ok(()),
        }
    }

    /// The draws of a round that are kept, annotated or not.
    pub fn draws(&self, round: &Round, stratum: Stratum) -> Result<Vec<Draw>, S::Error> {
        let drawn = counter::count(self.store.get(&round.counter_key(stratum))?.as_deref());
        let keys: Vec<_> =
            (0..drawn.min(stratum.slots())).map(|slot| round.slot_key(stratum, slot)).collect();
        let values = self.store.get_all(&keys)?;
        Ok(values.iter().filter_map(|(_, value)| Draw::from_json(value)).collect())
    }

    /// The sentences that nobody has annotated for the round of `evidence`.
    pub fn queue(&self, evidence: &Evidence, rng: &mut impl Rng) -> Result<Queue, S::Error> {
        let annotated: HashSet<&str> = evidence.annotated().collect();
        let mut draws = Vec::new();
        for stratum in Stratum::ALL {
            draws.extend(self.draws(evidence.round(), stratum)?);
        }
        Ok(Queue::new(draws, |sentence| annotated.contains(sentence), rng))
    }

    /// At most `wanted` of them, in the queue's order.
    pub fn next(
        &self,
        evidence: &Evidence,
        wanted: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<String>, S::Error> {
        let mut queue = self.queue(evidence, rng)?;
        Ok(std::iter::from_fn(|| queue.next(rng)).take(wanted).collect())
    }

    /// Keeps what a person says about a sentence, instead of what they said before. It decides if the sentence was drawn for the round.
    /// Saying the same again changes nothing, not even the time.
    ///
    /// The annotation comes last: once this has returned, everything that leads to it is in the store.
    pub fn annotate(
        &self,
        round: &Round,
        sentence: &str,
        who: &str,
        given: &Given,
    ) -> Result<Kept, S::Error> {
        match self.drawn(round, sentence)? {
            Some(draw) => self.keep(round, &draw, who, given),
            None => self.keep(&Round::of_others(), &Draw::new(sentence), who, given),
        }
    }

    /// Keeps what a person says about a sentence that was drawn for the round.
    pub fn keep(&self, round: &Round, draw: &Draw, who: &str, given: &Given) -> Result<Kept, S::Error> {
        let number = match self.number(round, &draw.sentence)? {
            Some(number) => number,
            None => self.give_number(round, &draw.sentence)?,
        };
        let mut kept = Kept::default();
        self.store.change(&round.annotation_key(number), &mut |current| {
            let known = current.and_then(Annotation::from_json);
            let before = known.as_ref().and_then(|annotation| annotation.given.get(who)).cloned();
            let as_before =
                known.filter(|_| before.as_ref().is_some_and(|before| before.expected == given.expected));
            let is_new = as_before.is_none();
            let annotation = as_before.unwrap_or_else(|| Annotation::with(current, draw, who, given.clone()));
            let value = is_new.then(|| serde_json::to_vec(&annotation)).transpose()?;
            kept = Kept { before, annotation };
            Ok(value)
        })?;
        Ok(kept)
    }

    /// Takes back what a person said about a sentence, if they said anything. An annotation of which nothing is left stays, and says
    /// nothing: to delete it might take along what somebody else says at the same time.
    pub fn retract(&self, round: &Round, sentence: &str, who: &str) -> Result<(), S::Error> {
        for round in [round, &Round::of_others()] {
            let Some(number) = self.number(round, sentence)? else { continue };
            self.store.change(&round.annotation_key(number), &mut |current| {
                let left = Annotation::without(current, who);
                Ok(left.map(|annotation| serde_json::to_vec(&annotation)).transpose()?)
            })?;
        }
        Ok(())
    }

    /// All that the journal says about the prompts of a round: what was drawn for it, and the annotations of every round that compared two
    /// of them.
    ///
    /// Reads three batches, and the annotations, 200 at a time; on Spin with Redis, a `GET` for each key, side by side.
    pub fn evidence(&self, round: Round) -> Result<Evidence, S::Error> {
        let mut keys = vec![ROUNDS_KEY.to_owned()];
        keys.extend(Stratum::ALL.map(|stratum| round.counter_key(stratum)));
        let known = self.store.get_all(&keys)?;
        let listed = known.iter().find(|(key, _)| key == ROUNDS_KEY);
        let mut rounds = listed.map(|(_, value)| Round::list(value)).unwrap_or_default();
        rounds.retain(|other| other.shares_a_pair_with(&round));
        let mut evidence = Evidence::new(round);
        for (key, value) in known.into_iter().chain(self.annotations_of(&rounds)?) {
            evidence.take(&key, &value);
        }
        Ok(evidence)
    }

    /// The annotations of sentences that were not drawn: a data set, which decides nothing.
    pub fn others(&self) -> Result<Vec<Annotation>, S::Error> {
        let values = self.annotations_of(&[Round::of_others()])?;
        let annotations = values.iter().filter_map(|(_, value)| Annotation::from_json(value));
        Ok(annotations.filter(|annotation| !annotation.given.is_empty()).collect())
    }

    fn annotations_of(&self, rounds: &[Round]) -> Result<Vec<(String, Vec<u8>)>, S::Error> {
        let counters: Vec<_> = rounds.iter().map(Round::annotated_key).collect();
        let counters = self.store.get_all(&counters)?;
        let keys = rounds.iter().flat_map(|round| {
            let counter = counters.iter().find(|(key, _)| *key == round.annotated_key());
            let numbers = 1..=counter::count(counter.map(|(_, value)| &**value));
            numbers.map(|number| round.annotation_key(number))
        });
        self.store.get_all(&keys.collect::<Vec<_>>())
    }

    /// What was drawn for a sentence, if it was: found with its annotation, or among the draws that are kept.
    fn drawn(&self, round: &Round, sentence: &str) -> Result<Option<Draw>, S::Error> {
        if let Some(number) = self.number(round, sentence)?
            && let Some(value) = self.store.get(&round.annotation_key(number))?
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

    /// The number of a sentence's annotation, if it has one.
    fn number(&self, round: &Round, sentence: &str) -> Result<Option<u64>, S::Error> {
        Ok(self.store.get(&round.number_key(sentence))?.as_deref().and_then(number))
    }

    /// Gives a number to the annotation of a sentence. One that is drawn and comes to nothing, since somebody else was faster or the
    /// process was killed, leads nowhere and does no harm.
    fn give_number(&self, round: &Round, sentence: &str) -> Result<u64, S::Error> {
        if !round.prompts().is_empty() {
            self.list(round)?;
        }
        let new = loop {
            let new = self.store.count(&round.annotated_key())?;
            // A journal that was put together by hand may have a counter that is behind.
            if self.store.get(&round.annotation_key(new))?.is_none() {
                break new;
            }
        };
        let mut given = new;
        self.store.change(&round.number_key(sentence), &mut |current| {
            let known = current.and_then(number);
            given = known.unwrap_or(new);
            Ok(known.is_none().then(|| new.to_string().into_bytes()))
        })?;
        Ok(given)
    }

    /// Puts a round on the list.
    fn list(&self, round: &Round) -> Result<(), S::Error> {
        self.store.change(ROUNDS_KEY, &mut |current| {
            let mut rounds = current.map(Round::list).unwrap_or_default();
            if rounds.contains(round) {
                return Ok(None);
            }
            rounds.push(round.clone());
            Ok(Some(serde_json::to_vec(&rounds)?))
        })
    }
}

fn number(value: &[u8]) -> Option<u64> {
    str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::SmallRng};

    use super::*;
    use crate::{Fingerprint, key_values::Memory};

    fn round(prompts: &[&str]) -> Round {
        Round::new(prompts.iter().map(|prompt| Fingerprint::of(prompt)), "m")
    }

    /// A journal in which these sentences were drawn for two prompts that differ on them.
    fn drawn(store: &Memory, round: &Round, sentences: &[&str]) {
        let mut rng = SmallRng::seed_from_u64(7);
        for sentence in sentences {
            let mut draw = Draw::new(*sentence);
            round
                .prompts()
                .iter()
                .zip(["x", "y", "z"])
                .for_each(|(prompt, outcome)| draw.add(*prompt, outcome));
            Journal::new(store).draw(round, &draw, &mut rng).unwrap();
        }
    }

    fn given(expected: &str) -> Given {
        Given { expected: Some(expected.to_owned()), at: String::new() }
    }

    fn waiting(store: &Memory, round: &Round) -> Vec<String> {
        let journal = Journal::new(store);
        let evidence = journal.evidence(round.clone()).unwrap();
        let mut waiting = journal.next(&evidence, 100, &mut SmallRng::seed_from_u64(7)).unwrap();
        waiting.sort_unstable();
        waiting
    }

    #[test]
    fn what_is_annotated_is_found_and_what_is_taken_back_is_not() {
        let (store, round) = (Memory::default(), round(&["a", "b"]));
        drawn(&store, &round, &["rain", "snow", "sun"]);
        let journal = Journal::new(&store);
        for (sentence, who) in [("rain", "ada"), ("snow", "ada"), ("snow", "bob"), ("my own", "ada")] {
            journal.annotate(&round, sentence, who, &given("x")).unwrap();
        }
        let annotated = || journal.evidence(round.clone()).unwrap().standing().annotated;
        assert_eq!((annotated(), waiting(&store, &round)), (2, vec!["sun".to_owned()]));
        assert_eq!(journal.others().unwrap()[0].draw, Draw::new("my own"));

        for (sentence, left) in [("snow", 2), ("rain", 1), ("my own", 1), ("never said", 1)] {
            journal.retract(&round, sentence, "ada").unwrap();
            assert_eq!(annotated(), left, "{sentence}");
        }
        assert_eq!(waiting(&store, &round), ["rain", "sun"]);
        assert!(journal.others().unwrap().is_empty());
        journal.annotate(&round, "rain", "ada", &given("y")).unwrap();
        assert_eq!(annotated(), 2);
        // The number that it had.
        let entries = store.into_entries();
        assert_eq!(counter::count(entries.get(&round.annotated_key()).map(Vec::as_slice)), 2);
    }

    #[test]
    fn rounds_that_compared_two_of_the_prompts_are_read() {
        let store = Memory::default();
        let [two, three, other] = [round(&["a", "b"]), round(&["a", "b", "c"]), round(&["a", "c"])];
        for (round, sentence) in [(&three, "rain"), (&other, "snow"), (&two, "sun")] {
            drawn(&store, round, &[sentence]);
            Journal::new(&store).annotate(round, sentence, "ada", &given("x")).unwrap();
        }
        let evidence = Journal::new(&store).evidence(two.clone()).unwrap();
        let [a, b] = ["a", "b"].map(Fingerprint::of);
        assert_eq!(evidence.disagreements(a, b).annotated, 2);
        assert_eq!((evidence.standing().annotated, evidence.drawn(Stratum::Differ)), (1, 1));
    }

    /// Whatever write was the last, what was acknowledged is found, and what was not can be annotated.
    #[test]
    fn killed_at_any_point() {
        let round = round(&["a", "b"]);
        let before = Memory::default();
        drawn(&before, &round, &["rain", "snow"]);
        Journal::new(&before).annotate(&round, "rain", "ada", &given("x")).unwrap();
        let before = before.into_entries();
        let kept = |store: &Memory| {
            let evidence = Journal::new(store).evidence(round.clone()).unwrap();
            let mut annotated: Vec<_> = evidence.annotated().map(str::to_owned).collect();
            annotated.sort_unstable();
            annotated
        };
        for writes in 0.. {
            let store = Dying { store: Memory::from(before.clone()), left: writes.into() };
            let acknowledged = Journal::new(&store).annotate(&round, "snow", "ada", &given("y")).is_ok();
            let store = store.store;
            if acknowledged {
                assert_eq!((writes, kept(&store)), (3, vec!["rain".to_owned(), "snow".to_owned()]));
                return;
            }
            assert_eq!(kept(&store), ["rain"], "after {writes}");
            Journal::new(&store).annotate(&round, "snow", "ada", &given("y")).unwrap();
            assert_eq!(kept(&store), ["rain", "snow"], "after {writes}");
        }
    }

    #[test]
    fn no_annotation_takes_the_place_of_another() {
        let (store, round) = (Memory::default(), round(&["a", "b"]));
        drawn(&store, &round, &["rain", "snow"]);
        Journal::new(&store).annotate(&round, "rain", "ada", &given("x")).unwrap();
        let mut entries = store.into_entries();
        entries.remove(&round.annotated_key());
        let store = Memory::from(entries);
        Journal::new(&store).annotate(&round, "snow", "ada", &given("x")).unwrap();
        assert_eq!(Journal::new(&store).evidence(round).unwrap().annotated().count(), 2);
    }

    /// A store that is gone after so many writes.
    struct Dying {
        store: Memory,
        left: std::cell::Cell<u32>,
    }

    impl Dying {
        fn write(&self) -> Result<&Memory, serde_json::Error> {
            let left = self.left.get().checked_sub(1);
            self.left.set(left.ok_or_else(|| serde::de::Error::custom("killed"))?);
            Ok(&self.store)
        }
    }

    impl KeyValues for Dying {
        type Error = serde_json::Error;

        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Self::Error> {
            self.store.get(key)
        }

        fn get_many(&self, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, Self::Error> {
            self.store.get_many(keys)
        }

        fn set(&self, key: &str, value: Vec<u8>) -> Result<(), Self::Error> {
            self.write()?.set(key, value)
        }

        fn delete(&self, keys: &[String]) -> Result<(), Self::Error> {
            self.write()?.delete(keys)
        }

        fn change(
            &self,
            key: &str,
            change: crate::key_values::Change<'_, Self::Error>,
        ) -> Result<(), Self::Error> {
            let current = self.get(key)?;
            match change(current.as_deref())? {
                Some(value) => self.set(key, value),
                None => Ok(()),
            }
        }

        fn add(&self, key: &str, change: i64, known: Option<&[u8]>) -> Result<i64, Self::Error> {
            self.write()?.add(key, change, known)
        }
    }
}

//! The prompts that are compared, and the keys of what belongs to them.

use sha2::{Digest, Sha256};

use crate::{Fingerprint, hex};

use super::Stratum;

/// The start of the keys of counters of sentences drawn.
const DRAWN: &str = "drawn:";

/// The start of the keys of draws that are kept.
const QUEUE: &str = "queue:";

/// The start of the keys of annotations.
const ANNOTATION: &str = "annotation:";

/// What stands for the round of a sentence that was not drawn.
const NO_ROUND: &str = "-";

/// The prompts that are compared with one model, whatever labels lead to them. What was drawn for them belongs to the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    id: String,
    prompts: Vec<Fingerprint>,
}

impl Round {
    /// The round of these prompts, in any order; one that comes several times counts once.
    pub fn new(prompts: impl IntoIterator<Item = Fingerprint>, model: &str) -> Self {
        let mut prompts: Vec<_> = prompts.into_iter().collect();
        prompts.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        prompts.dedup();
        let mut digest = Sha256::new();
        for prompt in &prompts {
            digest.update(prompt.as_str());
        }
        digest.update(model);
        let mut id = String::new();
        hex::append(&mut id, &digest.finalize()[..6]);
        Self { id, prompts }
    }

    /// The different prompts, sorted.
    pub fn prompts(&self) -> &[Fingerprint] {
        &self.prompts
    }

    /// The key of the counter of sentences drawn.
    pub fn counter_key(&self, stratum: Stratum) -> String {
        format!("{DRAWN}{}:{}", self.id, stratum.name())
    }

    /// The key of a draw that is kept.
    pub fn slot_key(&self, stratum: Stratum, slot: u64) -> String {
        format!("{QUEUE}{}:{}:{slot}", self.id, stratum.name())
    }

    /// Whether a key is that of a draw that is kept for this round.
    pub fn has_slot(&self, key: &str) -> bool {
        has_id(key, QUEUE, &self.id)
    }

    /// The key of the annotation of a sentence that was drawn.
    pub fn annotation_key(&self, sentence: &str) -> String {
        annotation_key(&self.id, sentence)
    }

    /// The key of the annotation of a sentence that was not.
    pub fn key_of_other(sentence: &str) -> String {
        annotation_key(NO_ROUND, sentence)
    }

    /// Whether an annotation with this key is of a sentence that was drawn for this round.
    pub fn has_annotation(&self, key: &str) -> bool {
        has_id(key, ANNOTATION, &self.id)
    }

    /// Whether a key is that of the annotation of a sentence that was not drawn.
    pub fn is_of_other(key: &str) -> bool {
        has_id(key, ANNOTATION, NO_ROUND)
    }

    /// Whether a key is that of an annotation of any round.
    pub fn is_annotation(key: &str) -> bool {
        key.starts_with(ANNOTATION)
    }
}

/// Whether a key is that of a counter of sentences drawn.
pub(super) fn is_counter(key: &str) -> bool {
    key.starts_with(DRAWN)
}

fn has_id(key: &str, start: &str, id: &str) -> bool {
    key.strip_prefix(start).and_then(|rest| rest.split_once(':')).is_some_and(|(found, _)| found == id)
}

fn annotation_key(round: &str, sentence: &str) -> String {
    let mut key = format!("{ANNOTATION}{round}:");
    hex::append(&mut key, &Sha256::digest(sentence)[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_of_its_prompts_and_model() {
        let [a, b, c] = ["a", "b", "c"].map(Fingerprint::of);
        let round = Round::new([a, b], "m");
        assert_eq!(round, Round::new([b, a, b], "m"));
        assert_ne!(round, Round::new([a, c], "m"));
        assert_ne!(round, Round::new([a, b], "n"));
        assert_eq!(round.prompts().len(), 2);
    }

    #[test]
    fn keys() {
        let round = Round::new([Fingerprint::of("a"), Fingerprint::of("b")], "m");
        let key = round.annotation_key("Rain again");
        assert!(Round::is_annotation(&key) && round.has_annotation(&key), "{key}");
        assert!(!round.has_annotation(&Round::key_of_other("Rain again")));
        assert!(Round::is_annotation(&Round::key_of_other("Rain again")));
        assert!(Round::is_of_other(&Round::key_of_other("Rain again")) && !Round::is_of_other(&key));
        let slot = round.slot_key(Stratum::Agree, 3);
        assert!(round.has_slot(&slot) && !round.has_slot(&key));
        assert!(!Round::new([Fingerprint::of("a")], "m").has_slot(&slot));
        assert_ne!(key, round.annotation_key("Sun again"));
        let keys = [round.counter_key(Stratum::Agree), round.slot_key(Stratum::Differ, 459)];
        for key in keys {
            assert!(!Round::is_annotation(&key) && key.len() < 255, "{key}");
        }
    }
}

//! The prompts that are compared, and the keys of what belongs to them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Fingerprint, hex};

use super::Stratum;

/// The key of the list of rounds of which there are annotations, as JSON.
pub(super) const ROUNDS_KEY: &str = "rounds";

/// The start of the keys of counters of sentences drawn.
const DRAWN: &str = "drawn:";

/// The start of the keys of counters of annotations.
const ANNOTATED: &str = "annotated:";

/// The start of the keys of annotations.
const ANNOTATION: &str = "annotation:";

/// What stands for the round of sentences that were not drawn.
const NO_ROUND: &str = "-";

/// The prompts that are compared with one model, whatever labels lead to them. What was drawn for them belongs to the round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// What stands for the round of sentences that were not drawn.
    pub(super) fn of_others() -> Self {
        Self { id: NO_ROUND.to_owned(), prompts: Vec::new() }
    }

    /// The rounds that a store lists under [`ROUNDS_KEY`]; none for any other value.
    pub(super) fn list(value: &[u8]) -> Vec<Self> {
        serde_json::from_slice(value).unwrap_or_default()
    }

    /// The different prompts, sorted.
    pub fn prompts(&self) -> &[Fingerprint] {
        &self.prompts
    }

    /// Whether it compared two prompts at least that this other round compares.
    pub(super) fn shares_a_pair_with(&self, other: &Self) -> bool {
        self.prompts.iter().filter(|prompt| other.prompts.contains(prompt)).count() > 1
    }

    /// The key of the counter of sentences drawn.
    pub fn counter_key(&self, stratum: Stratum) -> String {
        format!("{DRAWN}{}:{}", self.id, stratum.name())
    }

    /// The key of a draw that is kept.
    pub fn slot_key(&self, stratum: Stratum, slot: u64) -> String {
        format!("queue:{}:{}:{slot}", self.id, stratum.name())
    }

    /// The key of the counter of numbers that were given to annotations.
    pub fn annotated_key(&self) -> String {
        format!("{ANNOTATED}{}", self.id)
    }

    /// The key of the annotation with this number; the first is 1.
    pub fn annotation_key(&self, number: u64) -> String {
        format!("{ANNOTATION}{}:{number}", self.id)
    }

    /// The key of the number of a sentence's annotation.
    pub(super) fn number_key(&self, sentence: &str) -> String {
        let mut key = format!("number:{}:", self.id);
        hex::append(&mut key, &Sha256::digest(sentence));
        key
    }

    /// Whether this is the key of an annotation of a sentence that was drawn for this round.
    pub(super) fn has_annotation(&self, key: &str) -> bool {
        round_of(key).is_some_and(|id| id == self.id)
    }
}

/// The id of the round of an annotation with this key; `None` for any other key.
pub(super) fn round_of(key: &str) -> Option<&str> {
    Some(key.strip_prefix(ANNOTATION)?.split_once(':')?.0)
}

/// Whether a counter is kept under this key.
pub(crate) fn is_counter(key: &str) -> bool {
    key.starts_with(DRAWN) || key.starts_with(ANNOTATED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_prompts_does_not_matter() {
        let [a, b, c] = ["a", "b", "c"].map(Fingerprint::of);
        let round = Round::new([a, b], "m");
        assert_eq!(round, Round::new([b, a, b], "m"));
        assert_ne!(round, Round::new([a, c], "m"));
        assert_ne!(round, Round::new([a, b], "n"));
        assert_eq!(round.prompts().len(), 2);
        assert!(round.shares_a_pair_with(&Round::new([c, b, a], "n")));
        assert!(!round.shares_a_pair_with(&Round::new([a, c], "m")));
    }

    #[test]
    fn keys() {
        let round = Round::new([Fingerprint::of("a"), Fingerprint::of("b")], "m");
        let other = Round::of_others();
        assert!(round.has_annotation(&round.annotation_key(7)));
        assert!(
            !round.has_annotation(&other.annotation_key(7)) && other.has_annotation(&other.annotation_key(7))
        );
        assert_ne!(round.number_key("Rain again"), round.number_key("Sun again"));
        let keys = [
            (round.counter_key(Stratum::Agree), true),
            (round.annotated_key(), true),
            (round.slot_key(Stratum::Differ, 459), false),
            (round.annotation_key(u64::MAX), false),
            (round.number_key("Rain again"), false),
            (ROUNDS_KEY.to_owned(), false),
        ];
        for (key, counts) in keys {
            assert!(is_counter(&key) == counts && key.len() < 255, "{key}");
        }
        let json = serde_json::to_vec(&[&round]).unwrap();
        assert_eq!((Round::list(&json), Round::list(b"{}")), (vec![round], vec![]));
    }
}

//! Tallies: what was observed of each prompt and model, counted when a record is written, so that results cost the same however many
//! records there are.
//!
//! They are counters in the journal. A tally belongs to a prompt and a model, whatever label leads to them and whatever store holds the
//! records, so it stays with a variant that is linked, renamed or moved. A crash may leave it short by what was in flight; a recount from
//! the records makes it exact.
//!
//! | key, after `tally:PROMPT:MODEL:` | counts |
//! |---|---|
//! | `n` | observations |
//! | `answer:OUTCOME:BUCKET` | those with this outcome, whose inference took so long |
//! | `vote:EXPECTED:OUTCOME` | votes on those with this outcome, by what would have been right |
//! | `tokens:n`, `tokens:prompt`, `tokens:generated` | those with a count of tokens, and the sums |
//!
//! `tally:index` lists the prompts and models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Fingerprint, analysis::Observation, hex};

use super::counter;

/// The start of the keys of tallies.
pub const PREFIX: &str = "tally:";

/// The key of the list of [`Source`]s, as JSON.
pub const INDEX_KEY: &str = "tally:index";

/// Latencies below this, in milliseconds, have a bucket each; every doubling above has four.
const EXACT: u64 = 8;

/// The number of buckets: the last one holds what takes 2 hours or more.
const BUCKETS: u64 = EXACT + 4 * 20;

/// A prompt and a model of which there is a tally.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The label under which they were first seen.
    pub label: String,
    /// The fingerprint of the prompt.
    pub prompt: String,
    /// The model.
    pub model: String,
}

impl Source {
    /// What an observation is of, seen under a label.
    pub fn of(label: &str, observation: &Observation<'_>) -> Self {
        Self {
            label: label.to_owned(),
            prompt: observation.prompt.as_str().to_owned(),
            model: observation.model.to_owned(),
        }
    }

    /// Whether it is this prompt and model, under whatever label.
    pub fn is(&self, prompt: Fingerprint, model: &str) -> bool {
        self.prompt == prompt.as_str() && self.model == model
    }

    /// The key of the number of observations.
    pub fn n_key(&self) -> String {
        format!("{}n", start(&self.prompt, &self.model))
    }

    /// The list that a store holds under [`INDEX_KEY`]; an empty one for any other value.
    pub fn list(value: &[u8]) -> Vec<Self> {
        serde_json::from_slice(value).unwrap_or_default()
    }
}

/// What changes in the counters when one observation takes the place of another, or of none.
pub fn changes(old: Option<&Observation<'_>>, new: Option<&Observation<'_>>) -> BTreeMap<String, i64> {
    let mut changes = BTreeMap::new();
    for (observation, sign) in [(old, -1), (new, 1)] {
        let Some(observation) = observation else { continue };
        let start = start(observation.prompt.as_str(), observation.model);
        let mut add = |rest: String, amount: u64| {
            *changes.entry(format!("{start}{rest}")).or_insert(0) +=
                sign * i64::try_from(amount).unwrap_or(0);
        };
        add("n".to_owned(), 1);
        let bucket = bucket(observation.elapsed_ms.unwrap_or(0));
        add(format!("answer:{}:{bucket}", observation.outcome), 1);
        for expected in &observation.expected {
            add(format!("vote:{expected}:{}", observation.outcome), 1);
        }
        if observation.prompt_tokens > 0 || observation.generated_tokens > 0 {
            add("tokens:n".to_owned(), 1);
            add("tokens:prompt".to_owned(), observation.prompt_tokens.into());
            add("tokens:generated".to_owned(), observation.generated_tokens.into());
        }
    }
    changes.retain(|_, change| *change != 0);
    changes
}

/// What was counted of one prompt and model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Observations by outcome and latency, in milliseconds, which is off by an eighth at most.
    pub answers: Vec<(String, u64, u64)>,
    /// Votes by what would have been right, and by outcome.
    pub votes: Vec<(String, String, u64)>,
    /// Observations with a count of tokens.
    pub with_tokens: u64,
    /// Tokens of their rendered prompts.
    pub prompt_tokens: u64,
    /// Tokens generated.
    pub generated_tokens: u64,
}

impl Tally {
    /// What the keys of the counters of a prompt and a model begin with.
    pub fn start(prompt: Fingerprint, model: &str) -> String {
        start(prompt.as_str(), model)
    }

    /// Takes a counter; a key or value that is none is passed over.
    pub fn take(&mut self, key: &str, value: &[u8]) {
        let mut parts = key.splitn(4, ':');
        let rest = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("tally"), Some(_), Some(_), Some(rest)) = rest else { return };
        let Some(count) = counter::read(value).filter(|count| *count > 0) else { return };
        match rest.split_once(':') {
            Some(("answer", rest)) => {
                if let Some((outcome, bucket)) = rest.rsplit_once(':')
                    && let Ok(bucket) = bucket.parse()
                {
                    self.answers.push((outcome.to_owned(), middle(bucket), count));
                }
            }
            Some(("vote", rest)) => {
                if let Some((expected, outcome)) = rest.split_once(':') {
                    self.votes.push((expected.to_owned(), outcome.to_owned(), count));
                }
            }
            Some(("tokens", "n")) => self.with_tokens = count,
            Some(("tokens", "prompt")) => self.prompt_tokens = count,
            Some(("tokens", "generated")) => self.generated_tokens = count,
            _ => {}
        }
    }
}

/// What the keys of a prompt and a model begin with. A model's name may be anything, so its digest stands for it.
fn start(prompt: &str, model: &str) -> String {
    let mut start = format!("{PREFIX}{prompt}:");
    hex::append(&mut start, &Sha256::digest(model)[..6]);
    start.push(':');
    start
}

fn bucket(milliseconds: u64) -> u64 {
    if milliseconds < EXACT {
        return milliseconds;
    }
    let doubling = u64::from(milliseconds.ilog2());
    let quarter = (milliseconds >> (doubling - 2)) & 3;
    (EXACT + (doubling - 3) * 4 + quarter).min(BUCKETS - 1)
}

/// The middle of a bucket, in milliseconds.
fn middle(bucket: u64) -> u64 {
    let bucket = bucket.min(BUCKETS - 1);
    if bucket < EXACT {
        return bucket;
    }
    let (doubling, quarter) = ((bucket - EXACT) / 4 + 3, (bucket - EXACT) % 4);
    let width = 1_u64 << (doubling - 2);
    (4 + quarter) * width + width / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observation(outcome: &'static str, expected: Option<&'static str>) -> Observation<'static> {
        Observation {
            prompt: Fingerprint::of("abc"),
            model: "a: model",
            outcome,
            expected: expected.into_iter().collect(),
            elapsed_ms: Some(210),
            prompt_tokens: 90,
            generated_tokens: 2,
        }
    }

    fn counted(changes: &BTreeMap<String, i64>) -> Tally {
        let mut tally = Tally::default();
        for (key, change) in changes {
            tally.take(key, change.to_string().as_bytes());
        }
        tally
    }

    #[test]
    fn one_observation() {
        let tally = counted(&changes(None, Some(&observation("good", Some("bad")))));
        // The bucket of 210 ms is that from 192 to 223.
        assert_eq!(tally.answers, [("good".to_owned(), 208, 1)]);
        assert_eq!(tally.votes, [("bad".to_owned(), "good".to_owned(), 1)]);
        assert_eq!((tally.with_tokens, tally.prompt_tokens, tally.generated_tokens), (1, 90, 2));
    }

    #[test]
    fn each_vote_counts() {
        let observed = Observation { expected: vec!["bad", "good", "bad"], ..observation("good", None) };
        let mut tally = counted(&changes(None, Some(&observed)));
        tally.votes.sort();
        let votes = [("bad", "good", 2), ("good", "good", 1)];
        assert_eq!(
            tally.votes,
            votes.map(|(expected, outcome, n)| (expected.to_owned(), outcome.to_owned(), n))
        );
        let fewer = Observation { expected: vec!["bad"], ..observed.clone() };
        assert_eq!(changes(Some(&observed), Some(&fewer)).values().copied().collect::<Vec<_>>(), [-1, -1]);
    }

    #[test]
    fn what_takes_a_place_leaves_no_trace_of_what_was_there() {
        let (old, new) = (observation("good", None), observation("bad", Some("bad")));
        let mut all = changes(None, Some(&old));
        for (key, change) in changes(Some(&old), Some(&new)) {
            *all.entry(key).or_insert(0) += change;
        }
        all.retain(|_, change| *change != 0);
        assert_eq!(all, changes(None, Some(&new)));
        assert!(changes(Some(&old), Some(&old)).is_empty());
        // A vote changes nothing else.
        assert_eq!(changes(Some(&old), Some(&observation("good", Some("bad")))).len(), 1);
    }

    #[test]
    fn keys_begin_with_their_prompt_and_model() {
        let start = Tally::start(Fingerprint::of("abc"), "a: model");
        let keys = changes(None, Some(&observation("unsure", Some("bad"))));
        assert!(keys.keys().all(|key| key.starts_with(&start) && key.len() < 255), "{keys:?}");
        assert_ne!(start, Tally::start(Fingerprint::of("abc"), "another"));
    }

    #[test]
    fn foreign_keys_and_values() {
        let mut tally = Tally::default();
        let start = start("p", "m");
        for (key, value) in [
            (format!("{start}answer:good:x"), "1"),
            (format!("{start}answer:good:3"), "many"),
            (format!("{start}vote:good"), "1"),
            (INDEX_KEY.to_owned(), "[]"),
            ("prompt".to_owned(), "1"),
        ] {
            tally.take(&key, value.as_bytes());
        }
        assert_eq!(tally, Tally::default());
        assert!(Source::list(b"{").is_empty());
    }

    proptest! {
        #[test]
        fn a_bucket_is_near_its_latencies(milliseconds in 0_u64..7_000_000) {
            let middle = middle(bucket(milliseconds));
            prop_assert!(middle.abs_diff(milliseconds) * 8 <= milliseconds.max(middle), "{milliseconds}: {middle}");
        }

        #[test]
        fn any_latency_has_a_bucket(milliseconds in any::<u64>()) {
            prop_assert!(bucket(milliseconds) < BUCKETS);
        }
    }
}

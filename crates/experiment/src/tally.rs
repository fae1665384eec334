//! Tallies: what was observed of each prompt and model, counted when a record is written, so that results cost the same however many
//! records there are.
//!
//! They are counters in the store that holds the records, so they travel with it. A crash may leave them short by what was in flight; a
//! recount from the records makes them exact.
//!
//! | key, after `tally:PROMPT:MODEL:` | counts |
//! |---|---|
//! | `answer:OUTCOME` | observations with this outcome |
//! | `latency:BUCKET` | those whose inference took so long |
//! | `vote:EXPECTED:OUTCOME` | votes on those with this outcome, by what would have been right |
//! | `tokens:n`, `tokens:prompt`, `tokens:generated` | those with a count of tokens, and the sums |
//!
//! `tally:index` lists the prompts and models. As outcomes and buckets are known, so are all keys: nobody lists those of a store, which
//! may be millions. With three labels a prompt and a model have 107.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Fingerprint,
    analysis::{Observation, Outcomes},
    counter, hex,
    key_values::KeyValues,
};

/// The start of the keys of tallies. No record is kept under such a key.
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
    /// The fingerprint of the prompt.
    pub prompt: Fingerprint,
    /// The model.
    pub model: String,
}

impl Source {
    /// What an observation is of.
    pub fn of(observation: &Observation<'_>) -> Self {
        Self { prompt: observation.prompt, model: observation.model.to_owned() }
    }

    /// Whether it is this prompt and model.
    pub fn is(&self, prompt: Fingerprint, model: &str) -> bool {
        self.prompt == prompt && self.model == model
    }

    /// The list that a store holds under [`INDEX_KEY`]; an empty one for any other value.
    pub fn list(value: &[u8]) -> Vec<Self> {
        serde_json::from_slice(value).unwrap_or_default()
    }
}

/// Whether a counter is kept under this key.
pub fn is_counter(key: &str) -> bool {
    key.starts_with(PREFIX) && key != INDEX_KEY
}

/// Counts in `store` that one observation has taken the place of another, or of none.
///
/// Reads the counters that change and the index together, then adds to one after another: five for a new observation. A value that is
/// no counter stays, and is told once all others are counted.
pub fn count<S: KeyValues>(
    store: &S,
    old: Option<&Observation<'_>>,
    new: Option<&Observation<'_>>,
) -> Result<(), S::Error> {
    let changes = changes(old, new);
    if changes.is_empty() {
        return Ok(());
    }
    let mut keys: Vec<String> = changes.keys().cloned().collect();
    keys.push(INDEX_KEY.to_owned());
    let known: BTreeMap<_, _> = store.get_many(&keys)?.into_iter().collect();
    if let Some(observation) = new {
        list(store, observation, known.get(INDEX_KEY).map(Vec::as_slice))?;
    }
    let mut counted = Ok(());
    for (key, change) in changes {
        let added = store.add(&key, change, known.get(&key).map(Vec::as_slice));
        counted = counted.and(added.map(drop));
    }
    counted
}

/// Puts an observation's prompt and model on the list, before anything is counted of them.
fn list<S: KeyValues>(
    store: &S,
    observation: &Observation<'_>,
    known: Option<&[u8]>,
) -> Result<(), S::Error> {
    let is_listed = |value: &[u8]| {
        Source::list(value).iter().any(|source| source.is(observation.prompt, observation.model))
    };
    if known.is_some_and(is_listed) {
        return Ok(());
    }
    store.change(INDEX_KEY, &mut |current| {
        if current.is_some_and(is_listed) {
            return Ok(None);
        }
        let mut sources = current.map(Source::list).unwrap_or_default();
        sources.push(Source::of(observation));
        Ok(Some(serde_json::to_vec(&sources)?))
    })
}

/// What a store's counters say about one prompt and model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Of these.
    pub tally: Tally,
    /// Observations of any other prompt or model in the store.
    pub stale: u64,
}

/// Reads what was counted of a prompt and a model, and how many observations there are of others.
///
/// The cost does not depend on the number of records: one batch of 108 keys, and, where there are other prompts or models, one of
/// four keys for each. On Spin with Redis, which has no batches, it is a `GET` for each key, side by side.
pub fn read<S: KeyValues>(
    store: &S,
    prompt: Fingerprint,
    model: &str,
    outcomes: &Outcomes,
) -> Result<Counted, S::Error> {
    let mut keys = keys(prompt, model, outcomes);
    keys.push(INDEX_KEY.to_owned());
    let (mut counted, mut sources) = (Counted::default(), Vec::new());
    for (key, value) in store.get_all(&keys)? {
        if key == INDEX_KEY {
            sources = Source::list(&value);
        } else {
            counted.tally.take(&key, &value);
        }
    }
    let others = sources.iter().filter(|source| !source.is(prompt, model));
    let stale: Vec<_> =
        others.flat_map(|source| answer_keys(source.prompt, &source.model, outcomes)).collect();
    let values = store.get_all(&stale)?;
    counted.stale = values.iter().map(|(_, value)| counter::count(Some(value))).sum();
    Ok(counted)
}

/// The keys of all counters of a prompt and a model.
fn keys(prompt: Fingerprint, model: &str, outcomes: &Outcomes) -> Vec<String> {
    let start = start(prompt, model);
    let mut keys = answer_keys(prompt, model, outcomes);
    for expected in outcomes.labels() {
        keys.extend(outcomes.names().map(|outcome| format!("{start}vote:{expected}:{outcome}")));
    }
    keys.extend((0..BUCKETS).map(|bucket| format!("{start}latency:{bucket}")));
    keys.extend(["n", "prompt", "generated"].map(|name| format!("{start}tokens:{name}")));
    keys
}

fn answer_keys(prompt: Fingerprint, model: &str, outcomes: &Outcomes) -> Vec<String> {
    let start = start(prompt, model);
    outcomes.names().map(|outcome| format!("{start}answer:{outcome}")).collect()
}

/// The tallies of a whole store, from its records.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    counters: BTreeMap<String, i64>,
    sources: BTreeSet<Source>,
    /// Observations counted.
    pub observations: u64,
}

impl Sums {
    /// Counts an observation.
    pub fn add(&mut self, observation: &Observation<'_>) {
        for (key, change) in changes(None, Some(observation)) {
            *self.counters.entry(key).or_insert(0) += change;
        }
        let listed =
            self.sources.last().is_some_and(|source| source.is(observation.prompt, observation.model));
        if !listed {
            self.sources.insert(Source::of(observation));
        }
        self.observations += 1;
    }

    /// Whether a counter or the index is kept under this key.
    pub fn has(&self, key: &str) -> bool {
        self.counters.contains_key(key) || (key == INDEX_KEY && !self.sources.is_empty())
    }

    /// The counters and the index as a Redis store or an `SQLite` one keeps them; nothing of no observations.
    pub fn entries(&self, in_redis: bool) -> Result<Vec<(String, Vec<u8>)>, serde_json::Error> {
        if self.sources.is_empty() {
            return Ok(Vec::new());
        }
        let counters = self.counters.iter();
        let mut entries: Vec<_> =
            counters.map(|(key, number)| (key.clone(), counter::value(*number, in_redis))).collect();
        entries.push((INDEX_KEY.to_owned(), serde_json::to_vec(&self.sources)?));
        Ok(entries)
    }
}

/// What changes in the counters when one observation takes the place of another, or of none.
fn changes(old: Option<&Observation<'_>>, new: Option<&Observation<'_>>) -> BTreeMap<String, i64> {
    let mut changes = BTreeMap::new();
    for (observation, sign) in [(old, -1), (new, 1)] {
        let Some(observation) = observation else { continue };
        let start = start(observation.prompt, observation.model);
        let mut add = |rest: String, amount: u64| {
            *changes.entry(format!("{start}{rest}")).or_insert(0) +=
                sign * i64::try_from(amount).unwrap_or(0);
        };
        add(format!("answer:{}", observation.outcome), 1);
        if let Some(elapsed) = observation.elapsed_ms {
            add(format!("latency:{}", bucket(elapsed)), 1);
        }
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
    /// Observations by outcome.
    pub answers: Vec<(String, u64)>,
    /// Observations by latency, in milliseconds, which is off by an eighth at most.
    pub latencies: Vec<(u64, u64)>,
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
    /// Takes a counter; a key or value that is none is passed over.
    fn take(&mut self, key: &str, value: &[u8]) {
        let count = counter::count(Some(value));
        let Some(rest) = key.strip_prefix(PREFIX).and_then(|rest| rest.splitn(3, ':').nth(2)) else { return };
        if count == 0 {
            return;
        }
        match rest.split_once(':') {
            Some(("answer", outcome)) => self.answers.push((outcome.to_owned(), count)),
            Some(("latency", bucket)) => {
                self.latencies.extend(bucket.parse().ok().map(|bucket| (middle(bucket), count)));
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
fn start(prompt: Fingerprint, model: &str) -> String {
    let mut start = format!("{PREFIX}{}:", prompt.as_str());
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
    use crate::key_values::Memory;

    fn outcomes() -> Outcomes {
        Outcomes::new(["good", "fair", "bad"], "unsure")
    }

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

    fn read_all(store: &Memory, model: &str) -> Counted {
        read(store, Fingerprint::of("abc"), model, &outcomes()).unwrap()
    }

    #[test]
    fn one_observation() {
        let store = Memory::default();
        count(&store, None, Some(&observation("good", Some("bad")))).unwrap();
        let Counted { tally, stale } = read_all(&store, "a: model");
        assert_eq!(tally.answers, [("good".to_owned(), 1)]);
        // The bucket of 210 ms is that from 192 to 223.
        assert_eq!(tally.latencies, [(208, 1)]);
        assert_eq!(tally.votes, [("bad".to_owned(), "good".to_owned(), 1)]);
        assert_eq!((tally.with_tokens, tally.prompt_tokens, tally.generated_tokens), (1, 90, 2));
        assert_eq!(stale, 0);
        // Of any other model there is nothing but that.
        assert_eq!(read_all(&store, "another"), Counted { stale: 1, ..Counted::default() });
    }

    #[test]
    fn each_vote_counts() {
        let observed = Observation { expected: vec!["bad", "good", "bad"], ..observation("good", None) };
        let store = Memory::default();
        count(&store, None, Some(&observed)).unwrap();
        let votes = [("bad", "good", 2), ("good", "good", 1)];
        let votes = votes.map(|(expected, outcome, n)| (expected.to_owned(), outcome.to_owned(), n));
        let mut counted = read_all(&store, "a: model").tally.votes;
        counted.sort();
        assert_eq!(counted, votes);
        let fewer = Observation { expected: vec!["bad"], ..observed.clone() };
        assert_eq!(changes(Some(&observed), Some(&fewer)).values().copied().collect::<Vec<_>>(), [-1, -1]);
    }

    #[test]
    fn what_takes_a_place_leaves_no_trace_of_what_was_there() {
        let (old, new) = (observation("good", None), observation("bad", Some("bad")));
        let (store, expected) = (Memory::default(), Memory::default());
        count(&store, None, Some(&old)).unwrap();
        count(&store, Some(&old), Some(&new)).unwrap();
        count(&expected, None, Some(&new)).unwrap();
        assert_eq!(read_all(&store, "a: model"), read_all(&expected, "a: model"));
        assert!(changes(Some(&old), Some(&old)).is_empty());
        // A vote changes nothing else.
        assert_eq!(changes(Some(&old), Some(&observation("good", Some("bad")))).len(), 1);
    }

    #[test]
    fn sums_are_what_was_counted_one_by_one() {
        let (store, mut sums) = (Memory::default(), Sums::default());
        let others = ["x", "y"].map(|model| Observation { model, ..observation("unsure", None) });
        let [one, other] = &others;
        for observation in [&observation("good", None), one, &observation("good", Some("bad")), other, one] {
            count(&store, None, Some(observation)).unwrap();
            sums.add(observation);
        }
        let summed = Memory::from(BTreeMap::from_iter(sums.entries(false).unwrap()));
        assert_eq!((sums.observations, read_all(&summed, "a: model").stale), (5, 3));
        for model in ["a: model", "x", "y", "z"] {
            assert_eq!(read_all(&summed, model), read_all(&store, model), "{model}");
        }
        assert!(summed.into_entries().keys().all(|key| sums.has(key)) && !sums.has("prompt"));
        assert_eq!(Sums::default().entries(false).unwrap(), []);
    }

    #[test]
    fn all_keys_are_known() {
        let keys = keys(Fingerprint::of("abc"), "a: model", &outcomes());
        assert_eq!(keys.len(), 107, "what the documentation says");
        for observation in [
            observation("unsure", Some("bad")),
            Observation { elapsed_ms: Some(u64::MAX), ..observation("good", None) },
        ] {
            for key in changes(None, Some(&observation)).into_keys() {
                assert!(keys.contains(&key) && is_counter(&key) && key.len() < 255, "{key}");
            }
        }
        assert_ne!(start(Fingerprint::of("abc"), "a: model"), start(Fingerprint::of("abc"), "another"));
    }

    #[test]
    fn foreign_keys_and_values() {
        let mut tally = Tally::default();
        let start = start(Fingerprint::of("p"), "m");
        for (key, value) in [
            (format!("{start}latency:x"), "1"),
            (format!("{start}answer:good"), "many"),
            (format!("{start}vote:good"), "1"),
            (INDEX_KEY.to_owned(), "[]"),
            ("prompt".to_owned(), "1"),
        ] {
            tally.take(&key, value.as_bytes());
        }
        assert_eq!(tally, Tally::default());
        assert!(Source::list(b"{").is_empty());
    }

    #[test]
    fn a_foreign_value_keeps_nothing_else_from_being_counted() {
        let new = observation("good", None);
        let key = format!("{}answer:good", start(new.prompt, new.model));
        let store = Memory::from(BTreeMap::from([(key.clone(), b"many".to_vec())]));
        assert!(count(&store, None, Some(&new)).is_err());
        let Counted { tally, .. } = read_all(&store, new.model);
        assert_eq!((tally.answers, tally.latencies.len(), tally.prompt_tokens), (Vec::new(), 1, 90));
        assert_eq!(store.into_entries()[&key], b"many");
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

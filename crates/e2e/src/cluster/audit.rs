//! Whether the stores hold what was acknowledged, and whether the tallies say what the records do.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use experiment::analysis::Observation;
use experiment::journal::Annotation;
use experiment::tally::{Sums, is_counter};
use experiment::{Record, counter, key};
use sentiment::Outcome;

use super::Cluster;
use super::load::{EXPECTED, Seen};
use crate::app::{FIRST, JOURNAL, SECOND};
use crate::process::PATIENCE;

/// How long tallies stay as they are when nothing is in flight any more.
const SETTLED: Duration = Duration::from_secs(1);

/// What was acknowledged and is not in the stores, and what is in them that should not be.
#[derive(Debug, Default)]
pub struct Audit {
    /// When the answers were given that no store has.
    pub answers: Vec<Instant>,
    /// When the votes were acknowledged that no record has.
    pub votes: Vec<Instant>,
    /// When the annotations were acknowledged that the journal does not have.
    pub annotations: Vec<Instant>,
    /// Records with another outcome than the one that was served.
    pub differing: usize,
    /// Observations and votes that are in records and were not counted.
    pub uncounted: u64,
    /// Observations and votes that were counted and are in no record.
    pub overcounted: u64,
}

impl Audit {
    /// Looks at the stores once the tallies have settled: as soon as they are exact, or as they no longer change.
    pub fn of(cluster: &Cluster, seen: &Seen) -> Self {
        let mut audit = Self::default();
        let stores = settled(cluster);
        let journal = cluster.rows(JOURNAL);
        let annotations = journal.iter().filter(|(key, _)| key.starts_with("annotation:"));
        let annotated: BTreeSet<String> = annotations
            .filter_map(|(_, value)| Annotation::from_json(value))
            .filter(|annotation| {
                annotation.given.values().any(|given| given.expected.as_deref() == Some(EXPECTED))
            })
            .map(|annotation| annotation.draw.sentence)
            .collect();
        for (sentence, noted) in &seen.sentences {
            let record = |variant: &str| {
                let store = &stores[usize::from(variant == SECOND)];
                Record::<Outcome>::from_json(store.get(sentence)?)
            };
            for (variant, (outcome, at)) in &noted.answers {
                match record(variant) {
                    Some(record) => audit.differing += usize::from(record.answer.as_str() != outcome),
                    None => audit.answers.push(*at),
                }
            }
            if let Some((variant, at)) = &noted.vote
                && !record(variant).is_some_and(|record| record.said().any(|said| said.as_str() == EXPECTED))
            {
                audit.votes.push(*at);
            }
            if let Some(at) = noted.annotation
                && !annotated.contains(sentence)
            {
                audit.annotations.push(at);
            }
        }
        for store in &stores {
            let (counted, recorded) = tallies(store);
            for key in counted.keys().chain(recorded.keys()).collect::<BTreeSet<_>>() {
                // Latencies and tokens are of the same observations.
                if key.contains(":answer:") || key.contains(":vote:") {
                    let of = |counts: &BTreeMap<String, i64>| counts.get(key).copied().unwrap_or(0);
                    let difference = of(&recorded) - of(&counted);
                    let amount = difference.unsigned_abs();
                    *if difference > 0 { &mut audit.uncounted } else { &mut audit.overcounted } += amount;
                }
            }
        }
        audit
    }
}

/// Whether the tallies of the variants' stores say exactly what the records do.
pub fn is_exact(cluster: &Cluster) -> bool {
    [FIRST, SECOND].iter().all(|label| {
        let (counted, recorded) = tallies(&cluster.rows(label));
        counted == recorded
    })
}

/// What both variants' stores hold once nothing is in flight.
fn settled(cluster: &Cluster) -> [BTreeMap<String, Vec<u8>>; 2] {
    let deadline = Instant::now() + PATIENCE;
    let mut since = Instant::now();
    let mut stores = [FIRST, SECOND].map(|label| cluster.rows(label));
    loop {
        let exact = stores.iter().map(tallies).all(|(counted, recorded)| counted == recorded);
        if exact || since.elapsed() > SETTLED || Instant::now() > deadline {
            return stores;
        }
        thread::sleep(Duration::from_millis(100));
        let later = [FIRST, SECOND].map(|label| cluster.rows(label));
        if later != stores {
            since = Instant::now();
        }
        stores = later;
    }
}

/// The counters of a store that are not zero, and what they would be after a recount.
pub fn tallies(store: &BTreeMap<String, Vec<u8>>) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let counters = |(key, value): (&String, &Vec<u8>)| {
        let number = is_counter(key).then(|| counter::read(value)).flatten()?;
        (number != 0).then(|| (key.clone(), number))
    };
    let mut sums = Sums::default();
    for (_, value) in store.iter().filter(|(key, _)| !key::is_reserved(key)) {
        if let Some(record) = Record::<Outcome>::from_json(value) {
            sums.add(&Observation::of_record(&record, |outcome: &Outcome| outcome.as_str()));
        }
    }
    let recounted = BTreeMap::from_iter(sums.entries(true).unwrap());
    (store.iter().filter_map(counters).collect(), recounted.iter().filter_map(counters).collect())
}

//! Whether everything that was acknowledged is in the stores, and right.

use std::collections::{BTreeMap, BTreeSet};

use e2e::app::{App, FIRST, JOURNAL, SECOND};
use experiment::journal::Annotation;
use experiment::{Fingerprint, Record};
use sentiment::Outcome;

use super::flips::STORES;
use super::ledger::Ledger;

/// What was found in the stores.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) answers: usize,
    pub(crate) votes: usize,
    pub(crate) annotations: usize,
    pub(crate) records: usize,
    /// Answers that were given while a store failed, and are in none.
    pub(crate) not_recorded: usize,
    /// Whatever is lost, torn or wrong.
    pub(crate) faults: Vec<String>,
}

/// The records of a variant, by the sentence: one of each store that its label has meant.
type Records = BTreeMap<String, Vec<Record<Outcome>>>;

/// Looks at the stores of an app that may run.
pub(crate) fn reach(app: &App, ledger: &Ledger) -> Verdict {
    let mut verdict = Verdict::default();
    for name in STORES.into_iter().chain([JOURNAL]) {
        let integrity = app.store_file(name).integrity();
        if integrity != "ok" {
            verdict.faults.push(format!("the store {name} is torn: {integrity}"));
        }
    }
    let mut first = Records::new();
    for store in STORES {
        verdict.take(store, app.store_file(store).rows(FIRST), &mut first);
    }
    let mut second = Records::new();
    verdict.take("Redis", app.rows(SECOND), &mut second);
    let records = BTreeMap::from([(FIRST, first), (SECOND, second)]);
    let mut annotations = BTreeMap::<String, BTreeSet<String>>::new();
    for (key, value) in app.rows(JOURNAL) {
        if !key.starts_with("annotation:") {
            continue;
        }
        match Annotation::from_json(&value) {
            Some(annotation) => {
                let given = annotation.given.into_values().filter_map(|given| given.expected);
                annotations.entry(annotation.draw.sentence).or_default().extend(given);
            }
            None => verdict.faults.push(format!("the annotation {key:?} is torn")),
        }
    }
    for (sentence, noted) in &*ledger.noted() {
        let record = |variant: &str| {
            records
                .get(variant)
                .and_then(|records| records.get(sentence))
                .map(Vec::as_slice)
                .unwrap_or_default()
        };
        for (variant, is_kept) in &noted.answers {
            verdict.answers += 1;
            let found = record(variant);
            match (found.is_empty(), is_kept) {
                (true, true) => verdict.faults.push(format!("{sentence:?} of {variant} is lost")),
                (true, false) => verdict.not_recorded += 1,
                (false, _) => {}
            }
            // Nonsense of the model's is `unsure`, and asked again.
            let right = |record: &&Record<Outcome>| {
                record.answer.as_str() == noted.right || record.answer == Outcome::Unsure
            };
            if let Some(wrong) = found.iter().find(|record| !right(record)) {
                verdict.faults.push(format!("{sentence:?} of {variant} is {}", wrong.answer.as_str()));
            }
        }
        if let Some((variant, vote)) = noted.vote {
            verdict.votes += 1;
            let has_it = |record: &Record<Outcome>| record.said().any(|said| said.as_str() == vote);
            if !record(variant).iter().any(has_it) {
                verdict.faults.push(format!("the vote on {sentence:?} of {variant} is lost"));
            }
        }
        if let Some(said) = noted.annotation {
            verdict.annotations += 1;
            if !annotations.get(sentence).is_some_and(|given| given.contains(said)) {
                verdict.faults.push(format!("the annotation of {sentence:?} is lost"));
            }
        }
    }
    verdict
}

impl Verdict {
    /// Takes in what a store holds: its prompt, and records of that prompt and no other.
    fn take(&mut self, store: &str, rows: BTreeMap<String, Vec<u8>>, records: &mut Records) {
        let prompt = rows.get("prompt").and_then(|prompt| str::from_utf8(prompt).ok());
        let Some(prompt) = prompt.map(Fingerprint::of) else {
            return self.faults.push(format!("{store} has lost its prompt"));
        };
        for (key, value) in rows {
            if key == "prompt" || key.starts_with("tally:") {
                continue;
            }
            match Record::<Outcome>::from_json(&value) {
                Some(record) if record.is_of(prompt, e2e::app::MODEL) => {
                    self.records += 1;
                    records.entry(key).or_default().push(record);
                }
                Some(_) => self.faults.push(format!("{store}: {key:?} is a record of another prompt")),
                None => self.faults.push(format!("{store}: {key:?} is torn")),
            }
        }
    }
}

//! Tallies of what was observed, made from the records: what a store brings along that was filled before there were any, and what a
//! crash has left short.

use std::collections::{BTreeMap, BTreeSet};

use experiment::Record;
use experiment::analysis::Observation;
use experiment::journal::tally::{self, INDEX_KEY, PREFIX, Source};
use experiment::journal::{LABEL, counter};
use sentiment::Outcome;
use spin_app::StoreAddress;

use crate::results::live;
use crate::terminal::Printer;
use crate::workspace::{Target, Workspace};

/// Counts what the variants' stores hold if nothing was ever counted.
///
/// # Errors
///
/// A store cannot be read or written.
pub(crate) fn run(workspace: &Workspace, printer: Printer) -> anyhow::Result<()> {
    if !workspace.links().contains_key(LABEL) || workspace.variable(live::VARIANTS).is_none() {
        return Ok(());
    }
    let journal = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
    if workspace.open_store(&journal, printer)?.get(INDEX_KEY)?.is_some() {
        return Ok(());
    }
    let counted = recount(workspace, printer)?.unwrap_or_default();
    if counted > 0 {
        printer.step("Counted", format_args!("{}", experiment::numbers::counted(counted, "observation")));
    }
    Ok(())
}

/// Puts the sums of all records in the place of all tallies, and says how many records there are; `None` without a journal.
///
/// # Errors
///
/// The app has no experiment, or a store cannot be read or written.
pub(crate) fn recount(workspace: &Workspace, printer: Printer) -> anyhow::Result<Option<u64>> {
    if !workspace.links().contains_key(LABEL) {
        return Ok(None);
    }
    let (mut counters, mut sources, mut records) = (BTreeMap::new(), BTreeSet::new(), 0);
    for variant in live::experiment(workspace)?.variants() {
        let label = variant.label();
        let found = workspace.find(&Target::Label { label: label.to_owned(), app: None })?;
        workspace.open_store(&found, printer)?.for_each(|_, value| {
            if let Some(record) = Record::<Outcome>::from_json(value) {
                let observation = Observation::of_record(&record, |outcome: &Outcome| outcome.as_str());
                for (key, change) in tally::changes(None, Some(&observation)) {
                    *counters.entry(key).or_insert(0_i64) += change;
                }
                sources.insert(Source::of(label, &observation));
                records += 1;
            }
            Ok(())
        })?;
    }
    let journal = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
    let in_redis = matches!(journal.address, StoreAddress::Redis(_));
    let store = workspace.open_store(&journal, printer)?;
    let (keys, _) = store.keys()?;
    let gone = |key: &String| key.starts_with(PREFIX) && !counters.contains_key(key) && key != INDEX_KEY;
    let gone: Vec<String> = keys.into_iter().filter(gone).collect();
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    entries.extend(counters.into_iter().map(|(key, count)| (key, counter::value(count, in_redis))));
    if !sources.is_empty() {
        entries.push((INDEX_KEY.to_owned(), serde_json::to_vec(&sources)?));
    }
    store.set(entries)?;
    store.delete(&gone)?;
    Ok(Some(records))
}

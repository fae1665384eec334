//! Tallies of what was observed, made from the records: what a store brings along that was filled before there were any, and what a
//! crash has left short.

use anyhow::Context as _;
use experiment::analysis::Observation;
use experiment::journal::LABEL;
use experiment::numbers::counted;
use experiment::tally::{self, INDEX_KEY, PREFIX, Sums};
use experiment::{Record, Variant, counter, key};
use sentiment::Outcome;
use spin_app::StoreAddress;

use crate::results::live;
use crate::terminal::Printer;
use crate::workspace::{OpenStore, ResolvedStore, Target, Workspace};

/// Counts the records in the stores of variants in which nothing was ever counted.
///
/// # Errors
///
/// A store cannot be read or written.
pub(crate) fn run(workspace: &Workspace, printer: Printer) -> anyhow::Result<()> {
    if workspace.variable(live::VARIANTS).is_none() {
        return Ok(());
    }
    let (links, mut observations) = (workspace.links(), 0);
    let experiment = live::experiment(workspace)?;
    // Whether all labels are linked, others say.
    let labels = experiment.variants().iter().map(Variant::label).filter(|label| links.contains_key(*label));
    for found in stores(workspace, labels)? {
        let label = found.label.as_deref().unwrap_or_default();
        let store = workspace
            .open_store(&found, printer)
            .with_context(|| format!("cannot open the store linked to the label \"{label}\""))?;
        if store.get(INDEX_KEY)?.is_none() {
            observations += recount(&store, &found)?;
        }
    }
    if observations > 0 {
        printer.step("Counted", format_args!("{}", counted(observations, "observation")));
    }
    Ok(())
}

/// Puts the sums of all records in the place of all tallies, in each variant's store, and says how many records there are. Tallies that
/// an older version kept in the journal go.
///
/// # Errors
///
/// The app has no experiment, or a store cannot be read or written.
pub(crate) fn recount_all(workspace: &Workspace, printer: Printer) -> anyhow::Result<u64> {
    let mut observations = 0;
    let experiment = live::experiment(workspace)?;
    for found in stores(workspace, experiment.variants().iter().map(Variant::label))? {
        observations += recount(&workspace.open_store(&found, printer)?, &found)?;
    }
    if workspace.links().contains_key(LABEL) {
        let journal = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
        let store = workspace.open_store(&journal, printer)?;
        let mut gone = Vec::new();
        store.for_each(|key, _| {
            if key.starts_with(PREFIX) {
                gone.push(key.to_owned());
            }
            anyhow::Ok(())
        })?;
        store.delete(&gone)?;
    }
    Ok(observations)
}

/// Puts the sums of a store's records in the place of its tallies, and says how many records there are. What an app writes meanwhile may
/// be counted twice or not at all.
///
/// # Errors
///
/// The store cannot be read or written.
pub(crate) fn recount(store: &OpenStore, found: &ResolvedStore) -> anyhow::Result<u64> {
    let (mut sums, mut known) = (Sums::default(), Vec::new());
    store.for_each(|key, value| {
        if key == INDEX_KEY || (tally::is_counter(key) && counter::read(value).is_some()) {
            known.push(key.to_owned());
        } else if !key::is_reserved(key)
            && let Some(record) = Record::<Outcome>::from_json(value)
        {
            sums.add(&Observation::of_record(&record, |outcome: &Outcome| outcome.as_str()));
        }
        anyhow::Ok(())
    })?;
    known.retain(|key| !sums.has(key));
    store.set(sums.entries(matches!(found.address, StoreAddress::Redis(_)))?)?;
    store.delete(&known)?;
    Ok(sums.observations)
}

/// The stores of these labels, each once.
fn stores<'l>(
    workspace: &Workspace,
    labels: impl Iterator<Item = &'l str>,
) -> anyhow::Result<Vec<ResolvedStore>> {
    let mut stores: Vec<ResolvedStore> = Vec::new();
    for label in labels {
        let found = workspace.find(&Target::Label { label: label.to_owned(), app: None })?;
        if !stores.iter().any(|store| store.address.leads_to(&found.address)) {
            stores.push(found);
        }
    }
    Ok(stores)
}

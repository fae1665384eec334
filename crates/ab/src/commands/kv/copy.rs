//! `kv copy`.

mod comparison;

use experiment::conversion;
use experiment::numbers::count;
use spin_app::StoreAddress;
use stores::{Entry, StoreName, crash_point};

use self::comparison::{Comparison, Sides, State};
use crate::terminal::{Printer, Warning, failure, program};
use crate::workspace::{Location, OpenStore, ResolvedStore, Target, Workspace};

/// Copies all entries of `source` into `target`, each what [`Target::Store`] may be, and prints a digest of what was copied on either
/// side. A counter becomes one of the target's kind. A target in a file that does not exist is made.
///
/// Nothing that the target holds is replaced, unless `overwrite`, and nothing is deleted. Each page of entries is written whole; run
/// again after it was cut off, it copies what is missing.
///
/// # Errors
///
/// There is no source, both are the same store, the target holds other entries (nothing was changed then), a store cannot be read or
/// written, or the two differ at the end because somebody wrote to one of them.
pub(crate) fn run(
    source: &str,
    target: &str,
    overwrite: bool,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let source = workspace.find(&Target::Store(source.to_owned()))?;
    let target = find_or_make(target, &workspace, printer)?;
    if source.address.leads_to(&target.address) {
        return Err(
            failure(format!("\"{}\" and \"{}\" are the same store", source.shown, target.shown)).into()
        );
    }
    let sides = Sides {
        source: workspace.open_store(&source, printer)?,
        target: workspace.open_store(&target, printer)?,
    };
    let before = sides.compare("compared", printer)?;
    if !overwrite {
        refuse_other_entries(&before, &source, &target)?;
    }
    let in_redis = matches!(target.address, StoreAddress::Redis(_));
    let mut copied = 0;
    if before.missing + before.differing > 0 {
        sides.walk("copied", printer, |page| {
            let wanted = page.iter().filter(|pair| match pair.state() {
                State::Missing => true,
                State::Differing => overwrite,
                State::Same => false,
            });
            let wanted: Vec<Entry> = wanted
                .map(|pair| {
                    (pair.key.clone(), conversion::converted(&pair.key, pair.source.clone(), in_redis))
                })
                .collect();
            copied += wanted.len() as u64;
            write(&sides.target, wanted, overwrite)?;
            crash_point("copy:page");
            Ok(())
        })?;
    }
    let after = sides.compare("verified", printer)?;
    printer.message(format_args!(
        "{} copied from \"{}\" to \"{}\"{}",
        entries(copied),
        source.shown,
        target.shown,
        if before.same > 0 { format!("; {} already there", count(before.same)) } else { String::new() },
    ));
    printer.data(format_args!("{}  {}  {}", after.source_digest, after.entries, source.shown))?;
    printer.data(format_args!(
        "{}  {}  {}",
        after.target_digest,
        after.entries - after.missing,
        target.shown
    ))?;
    if after.left_out > 0 {
        let count = usize::try_from(after.left_out).unwrap_or(usize::MAX);
        printer.warn(&Warning::KeysNotText { store: source.shown.clone(), count });
    }
    if after.extra > 0 {
        printer.message(format_args!(
            "\"{}\" holds {} of its own as well",
            target.shown,
            entries(after.extra)
        ));
    }
    let differing = after.missing + after.differing + before.entries.saturating_sub(after.entries);
    if differing > 0 {
        return Err(failure(format!(
            "the stores differ in {}: they were written to during the copy",
            entries(differing),
        ))
        .hint(format!(
            "stop whatever writes to \"{}\", or run the same command with --overwrite to copy what has changed",
            source.shown
        ))
        .into());
    }
    Ok(())
}

/// The target; a file that does not exist becomes a store when it is opened.
fn find_or_make(target: &str, workspace: &Workspace, printer: Printer) -> anyhow::Result<ResolvedStore> {
    let address = workspace.stores.resolve(target)?;
    if workspace.exists(&address) {
        return workspace.find(&Target::Store(target.to_owned()));
    }
    if StoreName::parse(target).is_ok() {
        workspace.create_store(target, None, printer)?;
    }
    Ok(ResolvedStore { shown: workspace.shown(&address)?, address, label: None })
}

/// `1 entry`, `2,500 entries`.
fn entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{} entries", count(n)) }
}

fn refuse_other_entries(
    before: &Comparison,
    source: &ResolvedStore,
    target: &ResolvedStore,
) -> anyhow::Result<()> {
    let (source, target) = (&source.shown, &target.shown);
    let what = match (before.differing, before.extra) {
        (0, 0) => return Ok(()),
        (differing, 0) => format!("{} with another value", entries(differing)),
        (0, extra) => format!("{} that \"{source}\" does not have", entries(extra)),
        (differing, extra) => format!(
            "{} with another value, and {} that \"{source}\" does not have",
            entries(differing),
            count(extra)
        ),
    };
    Err(failure(format!("\"{target}\" already holds {what}; nothing was copied"))
        .hint(format!(
            "--overwrite replaces values that differ and leaves the rest; `{} kv export --store {target}` saves a copy first",
            program()
        ))
        .into())
}

/// Without `overwrite` a value stays that somebody has written since the page was read.
fn write(target: &OpenStore, entries: Vec<Entry>, overwrite: bool) -> anyhow::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    Ok(target.ask(async |store| {
        if overwrite { store.set_many(entries).await } else { store.set_missing(entries).await }
    })?)
}

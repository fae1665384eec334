//! `kv import`.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::Path;

use anyhow::Context as _;
use experiment::conversion;
use spin_app::StoreAddress;

use super::json_lines;
use super::watch::change_entries;
use crate::terminal::Printer;
use crate::workspace::{Location, Target, Workspace};

/// Sets all entries of an export in one transaction. Keys that are not in it stay. Counters become those of the store's kind.
///
/// # Errors
///
/// There is no such store, the file is not an export, or the store cannot be written; nothing was imported then.
pub(crate) fn run(
    file: Option<&Path>,
    target: &Target,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    // Read to the end before the store is locked: standard input may take its time.
    let imported = match file.filter(|path| *path != Path::new("-")) {
        None => json_lines::read(stdin().lock())?,
        Some(path) => {
            let shown = path.display();
            let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
            json_lines::read(BufReader::new(file)).with_context(|| format!("cannot import {shown}"))?
        }
    };
    let count = json_lines::counted(imported.len());
    let store = workspace.open_store(&found, printer)?;
    let in_redis = matches!(found.address, StoreAddress::Redis(_));
    let imported: Vec<(String, Vec<u8>)> = imported
        .into_iter()
        .map(|(key, value)| {
            let value = conversion::converted(&key, value, in_redis);
            (key, value)
        })
        .collect();
    let keys: Vec<String> = imported.iter().map(|(key, _)| key.clone()).collect();
    change_entries(&store, &found.shown, &keys, printer, || store.set(imported))?;
    printer.message(format_args!("{count} imported into \"{}\"", found.shown));
    Ok(())
}

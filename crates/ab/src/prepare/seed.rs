//! The first run: each new store gets the prompt that bears its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use spin_app::{Manifest, StoreAddress};
use stores::{Labels, Partition, StoreError};

use crate::terminal::{Printer, Warning};
use crate::workspace::OpenStore;

/// The key that holds a prompt.
const PROMPT: &str = experiment::PROMPT_KEY;

/// Puts `prompts/NAME.txt` under the key `prompt` of each linked store `NAME.db` that holds nothing at all. A store
/// whose prompt somebody deleted is not new.
///
/// # Errors
///
/// A prompt cannot be read, or a store cannot be opened or written.
pub(crate) fn run(
    app: &Manifest,
    links: &BTreeMap<String, StoreAddress>,
    printer: Printer,
) -> anyhow::Result<()> {
    for (label, address) in links {
        let StoreAddress::Sqlite(path) = address else { continue };
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let prompt = app.folder.join("prompts").join(format!("{name}.txt"));
        if !prompt.is_file() {
            continue;
        }
        let text = fs::read(&prompt).with_context(|| format!("cannot read {}", prompt.display()))?;
        let seed = || {
            let new = is_new(path, name, label, printer)?;
            if new {
                OpenStore::open(address, label)?.set(vec![(PROMPT.to_owned(), text)])?;
            }
            anyhow::Ok(new)
        };
        if seed().with_context(|| format!("cannot seed {}", path.display()))? {
            printer.step(
                "Seeded",
                format_args!("key value store \"{name}\" with the prompt of prompts/{name}.txt"),
            );
        }
    }
    Ok(())
}

/// Whether the file holds nothing, under whatever label: links can be exchanged by hand.
fn is_new(path: &Path, name: &str, label: &str, printer: Printer) -> Result<bool, StoreError> {
    let labels = Labels::open(path)?;
    if labels.has_rows(label)? {
        return Ok(false);
    }
    Ok(match labels.partition()? {
        Partition::None => true,
        Partition::Label(rows_label) if rows_label == label => true,
        Partition::Label(rows_label) => {
            let (store, label) = (name.to_owned(), label.to_owned());
            printer.warn(&Warning::RowsUnderAnotherLabel { store, label, rows_label });
            false
        }
        Partition::Several(_) => false,
    })
}

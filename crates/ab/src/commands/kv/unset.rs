//! `kv unset`.

use super::watch::change_entries;
use crate::terminal::{Printer, failure, program};
use crate::workspace::{Location, Target, Workspace};

/// Deletes keys with their values: all of them, or none.
///
/// # Errors
///
/// There is no such store or key, or the store cannot be written; nothing was deleted then.
pub(crate) fn run(
    keys: &[String],
    target: &Target,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    let store = workspace.open_store(&found, printer)?;
    for key in keys {
        if store.get(key)?.is_none() {
            return Err(failure(format!("No key \"{key}\" in key value store \"{}\"", found.shown))
                .hint(format!(
                    "`{} kv keys --store {}` lists the keys; nothing was deleted",
                    program(),
                    found.shown
                ))
                .into());
        }
    }
    change_entries(&store, &found.shown, keys, printer, || store.delete(keys))
}

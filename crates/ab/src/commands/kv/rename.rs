//! `kv rename`.

use spin_app::StoreAddress;

use crate::stores::{SqliteStore, StoreName};
use crate::terminal::{Printer, failure, program};
use crate::workspace::{Location, Workspace};

/// Gives a store another name; the links of this folder follow.
///
/// # Errors
///
/// There is no such store, it is in use, or the new name breaks the rule or is taken.
pub(crate) fn run(name: &str, new_name: &str, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let (name, new_name) = (StoreName::parse(name)?, StoreName::parse(new_name)?);
    let mut workspace = Workspace::open_to_change(location)?;
    let names = workspace.stores.names(&workspace.config.links()?)?;
    let Some(address) = names.get(&name) else {
        return Err(failure(format!("No key value store found with name \"{name}\""))
            .hint(format!("`{} kv list` shows what there is", program()))
            .into());
    };
    let taken =
        |other: &&StoreName| **other != name && other.as_str().eq_ignore_ascii_case(new_name.as_str());
    if let Some(other) = names.keys().find(taken).or((name == new_name).then_some(&name)) {
        return Err(failure(format!("Key value store \"{other}\" already exists")).into());
    }
    let exclusive = match address {
        StoreAddress::Sqlite(path) => Some(SqliteStore::open(path, name.as_str())?.into_exclusive()?),
        StoreAddress::Redis(_) | StoreAddress::Elsewhere(_) => None,
    };
    workspace.stores.rename(&name, &new_name, &mut workspace.config)?;
    drop(exclusive);
    printer.message(format_args!("Key value store \"{name}\" is now named \"{new_name}\""));
    Ok(())
}

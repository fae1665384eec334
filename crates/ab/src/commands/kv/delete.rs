//! `kv delete`.

use spin_app::StoreAddress;
use stores::{Exclusive, StoreName};

use crate::terminal::{Printer, ask, failure, program};
use crate::workspace::{Location, OpenStore, Workspace};

/// Deletes a store with all its entries, and the links to it.
///
/// # Errors
///
/// There is no such store, it is in use, or nobody can be asked whether it should be deleted.
pub(crate) fn run(name: &str, yes: bool, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let name = StoreName::parse(name)?;
    let mut workspace = Workspace::open_to_change(location)?;
    let Some(address) = workspace.stores.names()?.remove(&name) else {
        return Err(failure(format!("No key value store found with name \"{name}\""))
            .hint(format!("`{} kv list` lists the stores", program()))
            .into());
    };
    let linked = workspace.labels_of(&address);
    if !yes && !confirmed(&name, &address, &workspace.app.name, &linked, printer)? {
        printer.message("Invalid confirmation. Will not delete key value store.");
        return Ok(());
    }
    let exclusive = match &address {
        StoreAddress::Sqlite(path) => Some(Exclusive::take(path)?),
        StoreAddress::Redis(_) => {
            OpenStore::open(&address, "")?.ask(async |store| store.clear().await)?;
            None
        }
        StoreAddress::Cloud(_) | StoreAddress::Elsewhere(_) => None,
    };
    // The links first: one that led nowhere would make the app start with an empty store of this name.
    if !linked.is_empty() {
        workspace.change_links(|config| linked.iter().try_for_each(|label| config.unlink(label)))?;
    }
    workspace.stores.remove(&name)?;
    drop(exclusive);
    printer.message(format_args!("Key value store \"{name}\" deleted"));
    Ok(())
}

fn confirmed(
    name: &StoreName,
    address: &StoreAddress,
    app: &str,
    linked: &[String],
    printer: Printer,
) -> anyhow::Result<bool> {
    if !ask::can_ask() {
        return Err(failure(format!("deleting key value store \"{name}\" cannot be undone"))
            .hint("pass --yes to delete it without being asked; nothing was changed")
            .into());
    }
    if !linked.is_empty() {
        printer.message(format_args!(
            "Key value store \"{name}\" is currently linked to the following apps: {app} ({}).\n\
             It is recommended to use `{} link key-value` to link another key value store to those apps before deleting.",
            linked.join(", "),
            program()
        ));
    }
    if let StoreAddress::Redis(_) = address {
        let count = OpenStore::open(address, "")?.ask(async |store| store.count().await)?;
        printer.message(format_args!("All {count} keys of the Redis database at {address} will be deleted."));
    }
    let question = format!("The action is irreversible. Please type \"{name}\" for confirmation");
    Ok(ask::line(&question, None)? == name.as_str())
}

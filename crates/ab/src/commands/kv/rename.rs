//! `kv rename`.

use spin_app::StoreAddress;
use stores::{StoreName, crash_point};

use crate::terminal::{Printer, failure, program};
use crate::workspace::{Location, Workspace};

/// Gives a store another name; the links of this folder follow.
///
/// The file goes first, then the links. Killed in between, links lead to a file that is not there, and the entries are
/// in the store of the new name: the same command again changes the links.
///
/// # Errors
///
/// There is no such store, an app has it open, or the new name breaks the rule or is taken.
pub(crate) fn run(name: &str, new_name: &str, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let (name, new_name) = (StoreName::parse(name)?, StoreName::parse(new_name)?);
    let mut workspace = Workspace::open_to_change(location)?;
    let names = workspace.stores.names()?;
    let former = workspace.stores.address(&name)?;
    let links = workspace.config.links.iter().filter(|(_, address)| address.leads_to(&former));
    let linked: Vec<String> = links.map(|(label, _)| label.clone()).collect();
    if names.contains_key(&name) {
        workspace.stores.rename(&name, &new_name)?;
        crash_point("rename:moved");
    } else if linked.is_empty() || !names.contains_key(&new_name) {
        return Err(failure(format!("No key value store found with name \"{name}\""))
            .hint(format!("`{} kv list` lists the stores", program()))
            .into());
    }
    let address = workspace.stores.address(&new_name)?;
    if let StoreAddress::Sqlite(_) = address
        && !linked.is_empty()
    {
        workspace.change_links(|config| linked.iter().try_for_each(|label| config.link(label, &address)))?;
    }
    printer.message(format_args!("Key value store \"{name}\" is now named \"{new_name}\""));
    Ok(())
}

//! `kv list`: the tables of `spin cloud kv list`.

use comfy_table::Table;
use comfy_table::presets::{ASCII_BORDERS_ONLY_CONDENSED, ASCII_FULL};
use serde::Serialize;
use spin_app::StoreAddress;

use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Workspace};

/// Which stores to list; without either, all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Those linked to this app.
    pub(crate) app: Option<String>,
    /// This one: a name, a path or a URL.
    pub(crate) store: Option<String>,
}

/// What the list looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A table of links, then one of stores that are not linked.
    ByApp,
    /// A table of stores, each with its links.
    ByStore,
    /// An array of stores, each with its links.
    Json,
}

/// The refusal of a combination that makes no sense.
pub(crate) fn grouped_json() -> anyhow::Error {
    failure("Grouping is not supported with JSON format output").into()
}

#[derive(Serialize)]
struct Listed {
    key_value_store: String,
    links: Vec<ListedLink>,
    #[serde(skip)]
    address: StoreAddress,
}

#[derive(Serialize)]
struct ListedLink {
    label: String,
    app: String,
}

/// Prints the stores of the folder and those that its links lead to.
///
/// # Errors
///
/// The folder or its configuration cannot be read, or there is no such store.
pub(crate) fn run(
    filter: &Filter,
    shape: Shape,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let mut stores = all(&workspace)?;
    if let Some(store) = &filter.store {
        let address = workspace.stores.resolve(store)?;
        stores.retain(|listed| listed.address.leads_to(&address));
        if stores.is_empty() {
            return Err(failure(format!("No key value store found with name \"{store}\"")).into());
        }
    }
    if let Some(app) = &filter.app {
        stores.retain(|listed| listed.links.iter().any(|link| link.app == *app));
    }
    match (shape, &filter.app) {
        (Shape::Json, _) => printer.data(serde_json::to_string_pretty(&stores)?)?,
        (_, Some(app)) if stores.is_empty() => {
            printer.message(format_args!("No key value store linked to an app named '{app}'"));
        }
        _ if stores.is_empty() => printer.message("No key value stores found"),
        (Shape::ByApp, _) => print_by_app(&stores, printer)?,
        (Shape::ByStore, _) => print_by_store(&stores, printer)?,
    }
    Ok(())
}

/// All stores, sorted by name, each with its links, sorted by label.
fn all(workspace: &Workspace) -> anyhow::Result<Vec<Listed>> {
    let mut stores: Vec<Listed> = Vec::new();
    for (name, address) in workspace.stores.names()? {
        stores.push(Listed { key_value_store: name.to_string(), links: Vec::new(), address });
    }
    for (label, address) in workspace.links() {
        let entry = ListedLink { label, app: workspace.app.name.clone() };
        if let Some(listed) = stores.iter_mut().find(|listed| listed.address.leads_to(&address)) {
            listed.links.push(entry);
        } else {
            let key_value_store = workspace.shown(&address)?;
            stores.push(Listed { key_value_store, links: vec![entry], address });
        }
    }
    stores.sort_by(|one, other| one.key_value_store.cmp(&other.key_value_store));
    Ok(stores)
}

fn print_by_app(stores: &[Listed], printer: Printer) -> anyhow::Result<()> {
    let mut links: Vec<[&str; 3]> = Vec::new();
    for store in stores {
        links.extend(store.links.iter().map(|link| [&*link.app, &*link.label, &*store.key_value_store]));
    }
    links.sort_unstable();
    if !links.is_empty() {
        printer.data(table(ASCII_BORDERS_ONLY_CONDENSED, ["App", "Label", "Key Value Store"], links))?;
    }
    let unlinked: Vec<[&str; 1]> =
        stores.iter().filter(|store| store.links.is_empty()).map(|store| [&*store.key_value_store]).collect();
    if !unlinked.is_empty() {
        printer.data("Key value stores not linked to any app")?;
        printer.data(table(ASCII_FULL, ["Key Value Store"], unlinked))?;
    }
    Ok(())
}

fn print_by_store(stores: &[Listed], printer: Printer) -> anyhow::Result<()> {
    let rows = stores.iter().map(|store| {
        let links: Vec<String> =
            store.links.iter().map(|link| format!("{}:{}", link.app, link.label)).collect();
        [store.key_value_store.clone(), if links.is_empty() { "-".to_owned() } else { links.join(", ") }]
    });
    Ok(printer.data(table(ASCII_BORDERS_ONLY_CONDENSED, ["Key Value Store", "Links"], rows))?)
}

fn table<const N: usize, T: Into<comfy_table::Cell>>(
    style: comfy_table::TableStyle,
    header: [&str; N],
    rows: impl IntoIterator<Item = [T; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(header);
    table.add_rows(rows);
    table
}

//! `unlink key-value`.

use spin_app::StoreAddress;
use stores::Labels;

use crate::terminal::{Printer, Warning, failure, program};
use crate::workspace::{Location, Workspace};

/// Makes `label` mean no store any more. The store keeps its entries.
///
/// # Errors
///
/// The label is not linked, or the configuration cannot be written.
pub(crate) fn run(
    label: &str,
    app: Option<&str>,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let mut workspace = Workspace::open_to_change(location)?;
    workspace.expect_app(app)?;
    let app = workspace.app.name.clone();
    let Some(address) = workspace.config.links.get(label) else {
        return Err(failure(format!("no key value store was linked to app '{app}' with label '{label}'"))
            .hint(format!("`{} kv list` lists the links", program()))
            .into());
    };
    let shown = workspace.shown(address)?;
    // A request in flight may still write: the store remembers whose rows its rows are, so that those join them.
    if let StoreAddress::Sqlite(path) = address
        && path.exists()
        && workspace.labels_of(address).len() == 1
        && let Err(error) = Labels::open(path).and_then(|mut labels| labels.note(label))
    {
        printer.warn(&Warning::NotNoted { reason: error.to_string() });
    }
    workspace.change_links(|config| config.unlink(label))?;
    printer.message(format_args!("Key value store '{shown}' no longer linked to app {app}"));
    Ok(())
}

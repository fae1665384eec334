//! `recount`: the tallies of what was observed, made exact from the records.

use crate::prepare::tally;
use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Workspace};

/// Which app.
#[derive(Debug, Clone)]
pub(crate) struct Recount {
    pub(crate) location: Location,
}

/// Counts the records in the variants' stores, and puts the sums in the place of all tallies in the journal. What an app writes meanwhile
/// may be counted twice or not at all.
///
/// # Errors
///
/// The app has no journal, or a store cannot be read or written.
pub(crate) fn run(recount: &Recount, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&recount.location)?;
    let Some(counted) = tally::recount(&workspace, printer)? else {
        return Err(failure(format!("app \"{}\" has no store linked with the label \"journal\"", workspace.app.name))
            .hint("tallies are kept there: `kv create journal` and `link key-value journal --store journal` make one")
            .into());
    };
    printer.message(format_args!("Counted {}", experiment::numbers::counted(counted, "observation")));
    Ok(())
}

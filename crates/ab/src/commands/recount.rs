//! `recount`: the tallies of what was observed, made exact from the records.

use crate::prepare::tally;
use crate::terminal::Printer;
use crate::workspace::{Location, Workspace};

/// Which app.
#[derive(Debug, Clone)]
pub(crate) struct Recount {
    pub(crate) location: Location,
}

/// Counts the records in the variants' stores, and puts the sums in the place of the tallies there. What an app writes meanwhile
/// may be counted twice or not at all.
///
/// # Errors
///
/// The app has no experiment, or a store cannot be read or written.
pub(crate) fn run(recount: &Recount, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&recount.location)?;
    let observations = tally::recount_all(&workspace, printer)?;
    printer.message(format_args!("Counted {}", experiment::numbers::counted(observations, "observation")));
    Ok(())
}

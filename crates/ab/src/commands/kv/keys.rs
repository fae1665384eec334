//! `kv keys`.

use crate::terminal::{Printer, Warning, without_control_characters};
use crate::workspace::{Location, Target, Workspace};

/// Prints the keys, sorted: a line each with control characters escaped, since a key may hold newlines and worse; or
/// exactly, as a JSON array.
///
/// # Errors
///
/// There is no such store, or it cannot be read.
pub(crate) fn run(json: bool, target: &Target, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    let (keys, left_out) = workspace.open_store(&found, printer)?.keys()?;
    if left_out > 0 {
        printer.warn(&Warning::KeysNotText { store: found.shown, count: left_out });
    }
    printer.stream(|out| {
        if json {
            serde_json::to_writer_pretty(&mut *out, &keys).map_err(std::io::Error::from)?;
            return Ok(writeln!(out)?);
        }
        for key in &keys {
            writeln!(out, "{}", without_control_characters(key))?;
        }
        Ok(())
    })
}

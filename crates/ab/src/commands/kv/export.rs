//! `kv export`.

use std::path::Path;

use anyhow::Context as _;

use super::json_lines;
use crate::terminal::{Printer, Warning};
use crate::workspace::{Location, Target, Workspace, durable};

/// Writes all entries, sorted by key, to `file` or standard output. A file appears when it is complete.
///
/// # Errors
///
/// There is no such store, it cannot be read, or the file cannot be written.
pub(crate) fn run(
    file: Option<&Path>,
    target: &Target,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    let store = workspace.open_store(&found, printer)?;
    let mut count = 0_usize;
    let mut left_out = 0;
    let write = |out: &mut dyn std::io::Write| {
        left_out = store.for_each(|key, value| {
            count += 1;
            json_lines::write(out, key, value)
        })?;
        Ok(())
    };
    match file {
        None => printer.stream(write)?,
        Some(path) => {
            durable::replace_with(path, write)
                .with_context(|| format!("cannot export to {}", path.display()))?;
            printer.message(format_args!(
                "{} of \"{}\" written to {}",
                json_lines::counted(count),
                found.shown,
                path.display()
            ));
        }
    }
    if left_out > 0 {
        printer.warn(&Warning::KeysNotText { store: found.shown, count: left_out });
    }
    Ok(())
}

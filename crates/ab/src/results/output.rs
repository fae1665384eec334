//! Where a report goes.

use std::io;
use std::path::Path;

use anyhow::Context as _;

use crate::terminal::Printer;
use crate::workspace::durable;

/// Writes to `file`, which is there, or replaced, only when all is written; without one, to standard output.
///
/// # Errors
///
/// Those of `write`, and the file or standard output cannot be written.
pub(crate) fn write(
    file: Option<&Path>,
    printer: Printer,
    write: impl FnOnce(&mut dyn io::Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(path) = file else { return printer.stream(write) };
    durable::replace_with(path, write).with_context(|| format!("cannot write {}", path.display()))?;
    printer.message(format_args!("Written to {}", path.display()));
    Ok(())
}

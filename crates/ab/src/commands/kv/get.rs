//! `kv get`.

use experiment::conversion;

use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Target, Workspace};

/// Prints the value of a key: its bytes and nothing else, so that it can be piped. At a terminal a missing last newline
/// is added, a counter is shown as a number, and bytes that are not text are refused.
///
/// # Errors
///
/// There is no such store or key, or the value cannot be shown.
pub(crate) fn run(key: &str, target: &Target, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    let Some(mut value) = workspace.open_store(&found, printer)?.get(key)? else {
        return Err(failure(format!("No key \"{key}\" in key value store \"{}\"", found.shown)).into());
    };
    if printer.data_is_read_by_a_person() {
        value = conversion::converted(key, value, true);
        let text = std::str::from_utf8(&value).is_ok_and(|text| !text.contains('\x1b'));
        if !text {
            return Err(failure(format!("the value of \"{key}\" is not text ({} bytes)", value.len()))
                .hint("redirect the output to a file")
                .into());
        }
        if !value.ends_with(b"\n") {
            value.push(b'\n');
        }
    }
    printer.stream(|out| Ok(out.write_all(&value)?))
}

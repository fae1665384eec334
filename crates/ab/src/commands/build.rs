//! `build`: what `spin build` does.

use crate::prepare::build;
use crate::terminal::Printer;
use crate::workspace::Location;

/// Builds the components with these ids, all without any.
///
/// # Errors
///
/// There is no such component, or a command fails.
pub(crate) fn run(ids: &[String], location: &Location, printer: Printer) -> anyhow::Result<()> {
    build::run(&location.app()?, ids, printer)
}

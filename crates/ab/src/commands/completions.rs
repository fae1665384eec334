//! `completions`: what a shell needs to complete our arguments.

use clap_complete::Shell;

use crate::terminal::Printer;

/// Prints the completions of `command` for `shell`.
///
/// # Errors
///
/// Standard output cannot be written.
pub(crate) fn run(mut command: clap::Command, shell: Shell, printer: Printer) -> anyhow::Result<()> {
    // Written to memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "ab", &mut script);
    printer.stream(|out| Ok(out.write_all(&script)?))
}

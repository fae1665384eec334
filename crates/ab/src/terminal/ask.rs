//! Questions to a person at a terminal.

use std::io::{self, IsTerminal as _};
use std::thread;

use dialoguer::console::Term;

use super::{interrupted, signal};

/// Whether there is a person to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Yes or no; no is the default.
///
/// # Errors
///
/// The person broke off, or the terminal failed.
pub(crate) fn confirm(question: &str) -> anyhow::Result<bool> {
    ask(|| dialoguer::Confirm::new().with_prompt(question).default(false).interact())
}

/// One of `choices`, by its index.
///
/// # Errors
///
/// The person broke off, or the terminal failed.
pub(crate) fn select(question: &str, choices: &[String], default: usize) -> anyhow::Result<usize> {
    ask(|| dialoguer::Select::new().with_prompt(question).items(choices).default(default).interact())
}

/// A line of text.
///
/// # Errors
///
/// The person broke off, or the terminal failed.
pub(crate) fn line(question: &str, default: Option<String>) -> anyhow::Result<String> {
    let mut input = dialoguer::Input::<String>::new().with_prompt(question);
    if let Some(default) = default {
        input = input.default(default);
    }
    ask(|| input.interact_text())
}

/// Without a handler, Ctrl-C would end the process with the cursor still hidden. With one, the terminal library gives
/// an error instead, and this puts the cursor back.
fn ask<T>(question: impl FnOnce() -> dialoguer::Result<T>) -> anyhow::Result<T> {
    catch_interrupts()?;
    match question() {
        Ok(answer) => Ok(answer),
        Err(dialoguer::Error::IO(error)) => {
            let _ = Term::stderr().show_cursor();
            match error.kind() {
                io::ErrorKind::Interrupted => Err(interrupted().into()),
                _ => Err(error.into()),
            }
        }
    }
}

fn catch_interrupts() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // Whoever waits for the signal keeps it caught, for the rest of the process.
    let interrupted = runtime.block_on(async { signal::interruption() })?;
    thread::spawn(move || runtime.block_on(interrupted));
    Ok(())
}

//! The only place that prints. Standard output carries data that can be piped on; everything else goes to standard
//! error. Colours follow the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use experiment::numbers::count;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::{Failure, Warning};

const STEP: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints. Messages on standard error are never worth failing for; data that cannot be written is an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer;

#[expect(clippy::unused_self, reason = "a value is handed to whoever may print")]
impl Printer {
    /// One line of data, exactly as given.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written.
    pub(crate) fn data(self, line: impl Display) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// Runs `write` with standard output, buffered.
    ///
    /// # Errors
    ///
    /// Those of `write`, and standard output cannot be written.
    pub(crate) fn stream(
        self,
        write: impl FnOnce(&mut dyn io::Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        Ok(out.flush()?)
    }

    /// Whether a person reads standard output.
    pub(crate) fn data_is_read_by_a_person(self) -> bool {
        io::stdout().is_terminal()
    }

    /// What was done.
    pub(crate) fn message(self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// A bar for work of so many steps, drawn where standard error is a terminal.
    pub(crate) fn progress(self, length: u64) -> ProgressBar {
        const TEMPLATE: &str = "{bar:30} {human_pos} of {human_len} {msg} ({rate}, {eta} left)";
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
            let _ = text.write_str(&rate(state.per_sec()));
        });
        ProgressBar::new(length).with_style(style)
    }

    /// What is being done: a verb, then its object.
    pub(crate) fn step(self, verb: &str, object: impl Display) {
        let _ = writeln!(anstream::stderr(), "{STEP}{verb}{STEP:#} {object}");
    }

    /// Something to think about, and what can be done.
    pub(crate) fn warn(self, warning: &Warning) {
        let mut err = anstream::stderr();
        let _ = writeln!(err, "{WARNING}warning:{WARNING:#} {}", warning.message());
        hint(&mut err, warning.advice().as_deref());
    }

    /// Why the command failed; gives the exit status. A reader that closed the pipe had enough: no failure.
    pub(crate) fn error(self, error: &anyhow::Error) -> ExitCode {
        let closed = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        };
        if error.chain().any(closed) {
            return ExitCode::SUCCESS;
        }
        let (advice, status) = Failure::advice(error);
        let mut err = anstream::stderr();
        let _ = writeln!(err, "{ERROR}error:{ERROR:#} {error:#}");
        hint(&mut err, advice.as_deref());
        ExitCode::from(status)
    }
}

fn hint(err: &mut impl io::Write, text: Option<&str>) {
    if let Some(text) = text {
        let _ = writeln!(err, "{HINT}hint:{HINT:#} {text}");
    }
}

/// A stranger's text as one line that does nothing to a terminal.
pub(crate) fn without_control_characters(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// How many in a second, or in a minute where that is more telling: `16/s`, `1,690/s`, `42/min`.
fn rate(per_second: f64) -> String {
    let (number, unit) = if per_second < 1.0 { (per_second * 60.0, "min") } else { (per_second, "s") };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is small, and never below 0"
    )]
    let whole = number.round().max(0.0) as u64;
    format!("{}/{unit}", count(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded() {
        for (per_second, shown) in
            [(15.601_4, "16/s"), (1_690.253_8, "1,690/s"), (1.0, "1/s"), (0.7, "42/min"), (0.0, "0/min")]
        {
            assert_eq!(rate(per_second), shown);
        }
    }
}

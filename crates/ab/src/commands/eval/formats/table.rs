//! Tables for people at a terminal.

use std::io;

use crate::commands::eval::evaluation::Evaluation;
use crate::results::tables;

pub(super) fn write(out: &mut dyn io::Write, evaluation: &Evaluation<'_>) -> anyhow::Result<()> {
    for fact in evaluation.facts() {
        writeln!(out, "{fact}")?;
    }
    writeln!(out, "\n{}", tables::presentation(&evaluation.presentation, None))?;
    for gate in &evaluation.gates {
        writeln!(out, "\n{}: {}", if gate.met { "Met" } else { "NOT MET" }, gate.text)?;
    }
    Ok(())
}

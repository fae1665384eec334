//! What an evaluation looks like, one file for each form.

mod csv;
mod html;
mod json;
mod junit;
mod table;

use std::io;

use super::asking::Answered;
use super::evaluation::Evaluation;
use super::spool::Spool;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people at a terminal.
    Table,
    /// The numbers, and the sentences on which variants disagree.
    Json,
    /// One line per answer.
    Csv,
    /// One page that needs nothing else.
    Html,
    /// A test suite for each variant, a test case for each sentence.
    Junit,
}

impl Format {
    /// Whether the form shows this sentence, with its answers.
    pub(super) fn shows(self, answered: &Answered) -> bool {
        match self {
            Self::Table => false,
            Self::Json | Self::Html => answered.is_disagreement(),
            Self::Csv | Self::Junit => true,
        }
    }

    /// Writes an evaluation with the sentences that the form shows.
    ///
    /// # Errors
    ///
    /// `out` cannot be written, or the sentences cannot be read.
    pub(super) fn write(
        self,
        out: &mut dyn io::Write,
        evaluation: &Evaluation<'_>,
        sentences: &mut Spool,
    ) -> anyhow::Result<()> {
        match self {
            Self::Table => table::write(out, evaluation),
            Self::Json => json::write(out, evaluation, sentences),
            Self::Csv => csv::write(out, evaluation, sentences),
            Self::Html => html::write(out, evaluation, sentences),
            Self::Junit => junit::write(out, evaluation, sentences),
        }
    }
}

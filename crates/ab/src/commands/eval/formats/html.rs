//! The Results page in one file, with every disagreement and the prompts.

use std::io;

use super::json;
use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;
use crate::results::page;

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    let names: Vec<&str> = evaluation.variants.iter().map(|variant| variant.name.as_str()).collect();
    let title = format!("Which prompt is better? {}", names.join(", "));
    page::write(out, &title, &evaluation.facts(), json::document(evaluation, sentences)?)
}

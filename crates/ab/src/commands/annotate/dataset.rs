//! Annotations of sentences that were not drawn, as labelled sentences for `eval`.
//!
//! Those that were drawn are no fair sample of all sentences: on most of them the prompts differ.

use std::path::Path;

use experiment::journal::{Annotation, Said};
use experiment::numbers::counted;
use serde::Serialize;

use super::journal::AppJournal;
use crate::results::output;
use crate::results::spreadsheet::cell;
use crate::terminal::{Printer, failure, program};

/// A labelled sentence, as a line of JSON has it.
#[derive(Serialize)]
struct Case<'a> {
    sentence: &'a str,
    expected: &'a str,
}

/// Writes those on which people agree, sorted by their sentences.
///
/// # Errors
///
/// There are none, the journal cannot be read, or the file or standard output cannot be written.
pub(super) fn export(journal: &AppJournal, file: Option<&Path>, printer: Printer) -> anyhow::Result<()> {
    let mut others = journal.others()?;
    others.sort_unstable_by(|one, other| one.draw.sentence.cmp(&other.draw.sentence));
    let cases: Vec<_> = others.iter().filter_map(case).collect();
    if cases.is_empty() {
        return Err(failure("there are no annotations of sentences outside the queue")
            .hint(format!("`{} annotate --import FILE.csv` accepts annotations of any sentence", program()))
            .into());
    }
    let is_json = file.and_then(Path::extension).is_some_and(|it| it.eq_ignore_ascii_case("jsonl"));
    output::write(file, printer, |out| {
        if is_json {
            for case in &cases {
                serde_json::to_writer(&mut *out, case)?;
                writeln!(out)?;
            }
            return Ok(());
        }
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["sentence", "expected"])?;
        for Case { sentence, expected } in &cases {
            csv.write_record([&*cell(sentence), expected])?;
        }
        Ok(csv.flush()?)
    })?;
    printer.message(counted(cases.len() as u64, "labelled sentence"));
    if let Some(file) = file {
        printer.message(format_args!(
            "`{} eval --data {}` evaluates prompts on them.",
            program(),
            file.display()
        ));
    }
    Ok(())
}

fn case(annotation: &Annotation) -> Option<Case<'_>> {
    match annotation.said() {
        Said::Right(expected) => Some(Case { sentence: &annotation.draw.sentence, expected }),
        Said::CannotTell | Said::Disputed => None,
    }
}

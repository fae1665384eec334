//! To a spreadsheet and back: CSV with the columns `sentence` and `expected`.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use experiment::journal::{Kept, Said};
use experiment::numbers::counted;
use sentiment::{Outcome, Sentence};

use super::journal::AppJournal;
use super::keys::Key;
use super::session::{CANNOT_TELL, opinions};
use crate::results::output;
use crate::results::spreadsheet::{self, Fault, Faults, Row, cell};
use crate::terminal::{Printer, program, without_control_characters};

const COLUMNS: [&str; 2] = ["sentence", "expected"];

const SHAPE: &str = "the columns are sentence and expected; expected is positive, neutral, negative (or 1, 2, \
                     3), \"cannot tell\" (or s), or empty to skip the row";

/// Tells spreadsheets that the file is in UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// So many disputed sentences are shown.
const SHOWN: usize = 10;

/// What a file says about a sentence.
#[derive(Debug)]
struct Opinion {
    line: u64,
    sentence: String,
    /// `None` if the annotator cannot tell.
    expected: Option<Outcome>,
}

/// What became of the rows.
#[derive(Default)]
struct Imported {
    new: u64,
    changed: u64,
    as_before: u64,
    not_drawn: u64,
    disputed: Vec<Kept>,
}

/// Writes the sentences that wait, in the order in which they would be shown.
///
/// # Errors
///
/// The journal cannot be read, or the file or standard output cannot be written.
pub(super) fn export(journal: &AppJournal, file: Option<&Path>, printer: Printer) -> anyhow::Result<()> {
    let mut rng = rand::rng();
    let mut queue = journal.queue(&journal.evidence()?, &mut rng)?;
    let waiting = queue.len() as u64;
    output::write(file, printer, |out| {
        write!(out, "{BYTE_ORDER_MARK}")?;
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(COLUMNS)?;
        while let Some(sentence) = queue.next(&mut rng) {
            csv.write_record([&*cell(&sentence), ""])?;
        }
        Ok(csv.flush()?)
    })?;
    printer.message(format_args!("{} to annotate", counted(waiting, "sentence")));
    if let Some(file) = file.filter(|_| waiting > 0) {
        printer.message(format_args!(
            "Write positive, neutral, negative or \"{CANNOT_TELL}\" in the column expected, then run `{} annotate --import {}`.",
            program(),
            file.display()
        ));
    }
    Ok(())
}

/// Keeps what the rows of a file say, instead of what the same person said before. Nothing is kept of a file with a row that cannot be
/// used.
///
/// # Errors
///
/// The file cannot be read or has a row that cannot be used, or the journal cannot be read or written.
pub(super) fn import(
    journal: &AppJournal,
    file: Option<&Path>,
    who: &str,
    printer: Printer,
) -> anyhow::Result<()> {
    let (said, left_out) = match file {
        None => read(io::stdin().lock(), "standard input")?,
        Some(path) => {
            let shown = path.display().to_string();
            read(File::open(path).with_context(|| format!("cannot open {shown}"))?, &shown)?
        }
    };
    let mut imported = Imported::default();
    for Opinion { sentence, expected, .. } in &said {
        let kept = journal.say(sentence, who, *expected)?;
        let expected = expected.map(Outcome::as_str);
        match &kept.before {
            None => imported.new += 1,
            Some(before) if before.expected.as_deref() == expected => imported.as_before += 1,
            Some(_) => imported.changed += 1,
        }
        imported.not_drawn += u64::from(!kept.decides());
        if kept.annotation.said() == Said::Disputed {
            imported.disputed.push(kept);
        }
    }
    imported.tell(who, left_out, printer);
    Ok(())
}

/// What a file says, and how many of its rows say nothing.
fn read(file: impl io::Read, shown: &str) -> anyhow::Result<(Vec<Opinion>, u64)> {
    let (mut said, mut left_out, mut faults) = (Vec::<Opinion>::new(), 0, Faults::default());
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in spreadsheet::rows(file, shown, COLUMNS, SHAPE)? {
        match row.and_then(opinion) {
            Ok(None) => left_out += 1,
            Ok(Some(opinion)) => match places.get(&opinion.sentence).map(|place| &said[*place]) {
                None => {
                    places.insert(opinion.sentence.clone(), said.len());
                    said.push(opinion);
                }
                Some(earlier) if earlier.expected == opinion.expected => {}
                Some(earlier) => faults.add(Fault {
                    line: opinion.line,
                    what: format!("line {} differs for the same sentence", earlier.line),
                }),
            },
            Err(fault) => faults.add(fault),
        }
    }
    faults.refuse(shown, SHAPE)?;
    Ok((said, left_out))
}

/// What a row says, if it says anything.
fn opinion(Row { line, cells: [sentence, expected] }: Row) -> Result<Option<Opinion>, Fault> {
    let fault = |what| Fault { line, what };
    let words = expected.trim();
    if words.is_empty() {
        return Ok(None);
    }
    let expected = expected_of(words).map_err(fault)?;
    let sentence = Sentence::new(&sentence).map_err(|error| fault(error.to_string()))?;
    Ok(Some(Opinion { line, sentence: sentence.as_str().to_owned(), expected }))
}

/// An outcome, or `None` for words that say that somebody cannot tell; the keys will do as well.
fn expected_of(words: &str) -> Result<Option<Outcome>, String> {
    let lower = words.to_lowercase().replace(['-', '_'], " ").replace('’', "'");
    if matches!(lower.as_str(), CANNOT_TELL | "can not tell" | "can't tell" | "cant tell" | "unsure" | "?") {
        return Ok(None);
    }
    if let Ok(outcome) = lower.parse() {
        return Ok(Some(outcome));
    }
    let mut characters = words.chars();
    match (characters.next().and_then(Key::of), characters.next()) {
        (Some(Key::Say(expected)), None) => Ok(expected),
        _ => Err(format!("expected is {words:?}, not positive, neutral, negative or \"{CANNOT_TELL}\"")),
    }
}

impl Imported {
    fn tell(&self, who: &str, left_out: u64, printer: Printer) {
        let Self { new, changed, as_before, not_drawn, disputed } = self;
        let all = counted(new + changed + as_before, "annotation");
        let who = without_control_characters(who);
        printer.message(format_args!("{all} by {who}: {new} new, {changed} changed, {as_before} unchanged"));
        if left_out > 0 {
            printer.message(format_args!("Skipped {} without an annotation", counted(left_out, "row")));
        }
        if *not_drawn > 0 {
            let (verb, them) = if *not_drawn == 1 { ("was", "it") } else { ("were", "them") };
            printer.message(format_args!(
                "{} {verb} not drawn for the current prompts, so annotating {them} decides nothing: `{} annotate --export-dataset \
                 FILE` writes {them} to a data set for `eval`",
                counted(*not_drawn, "sentence"),
                program()
            ));
        }
        if disputed.is_empty() {
            return;
        }
        printer.message(format_args!(
            "{} disputed, and left out until an annotator changes their answer (`{} annotate --disputed`):",
            counted(disputed.len() as u64, "sentence"),
            program()
        ));
        for Kept { annotation, .. } in disputed.iter().take(SHOWN) {
            let sentence = without_control_characters(&annotation.draw.sentence);
            printer.message(format_args!("  {sentence} ({})", opinions(&annotation.given)));
        }
        if disputed.len() > SHOWN {
            printer.message("  …");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Result<(Vec<Opinion>, u64), String> {
        let file = format!("sentence,expected\n{rows}");
        super::read(file.as_bytes(), "a.csv").map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn words_for_an_annotation() {
        let (positive, neutral) = (Some(Outcome::Positive), Some(Outcome::Neutral));
        for (words, expected) in [
            ("positive", positive),
            ("Neutral", neutral),
            ("NEGATIVE", Some(Outcome::Negative)),
            ("1", positive),
            ("2", neutral),
            ("3", Some(Outcome::Negative)),
            ("cannot tell", None),
            ("Can’t tell", None),
            ("cannot_tell", None),
            ("unsure", None),
            ("S", None),
            ("?", None),
        ] {
            assert_eq!(expected_of(words), Ok(expected), "{words}");
        }
        for words in ["good", "11", "u", "q", "positive!"] {
            assert!(expected_of(words).is_err(), "{words}");
        }
    }

    #[test]
    fn rows() {
        let (said, left_out) = read("a,1\n b ,cannot tell\nc,\nd, \na,positive\n'=1+1, Neutral \n").unwrap();
        let said: Vec<_> = said.iter().map(|it| (it.line, it.sentence.as_str(), it.expected)).collect();
        let expected =
            [(2, "a", Some(Outcome::Positive)), (3, "b", None), (7, "=1+1", Some(Outcome::Neutral))];
        assert_eq!((said.as_slice(), left_out), (&expected[..], 2));
    }

    #[test]
    fn rows_that_cannot_be_used() {
        let message = read("a,1\na,2\n,3\nb,good\n,\n\"c\n\",3\nd,cannot say\n").unwrap_err();
        for part in [
            "a.csv has 4 rows",
            "line 3: line 2 differs",
            "line 4: The sentence is empty",
            "line 5: expected is \"good\", not positive",
            "line 9: expected is \"cannot say\"",
        ] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    }
}

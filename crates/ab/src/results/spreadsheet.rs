//! CSV that people open in a spreadsheet.

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader};

use anyhow::Context as _;

use crate::terminal::{Failure, failure};

/// How many faults of a file are told at once.
const FAULTS_TOLD: usize = 5;

/// A text as the content of a cell. One that a spreadsheet would run as a formula gets an apostrophe, which spreadsheets do not show
/// (OWASP, "CSV Injection"). So does one that looks as if it had one already, so that [`text`] gives back what was there.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a [`cell`].
pub(crate) fn text(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest.trim_start_matches('\''))).unwrap_or(cell)
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// The texts of two cells of a row.
pub(crate) struct Row {
    /// Counted from 1.
    pub(crate) line: u64,
    pub(crate) cells: [String; 2],
}

/// What is wrong with a line of a file.
pub(crate) struct Fault {
    pub(crate) line: u64,
    pub(crate) what: String,
}

/// The first faults of a file, which are told together.
#[derive(Default)]
pub(crate) struct Faults {
    all: usize,
    first: Vec<String>,
}

/// The rows of a file with the columns of these names, among others and in any order. A spreadsheet may have separated them with
/// semicolons or tabs. `shape` says what is expected of such a file.
///
/// # Errors
///
/// The file cannot be read or lacks a column.
pub(crate) fn rows<R: io::Read>(
    file: R,
    shown: &str,
    columns: [&str; 2],
    shape: &str,
) -> anyhow::Result<impl Iterator<Item = Result<Row, Fault>> + use<R>> {
    let unread = || format!("cannot read {shown}");
    let mut file = BufReader::new(file);
    let delimiter = delimiter(file.fill_buf().with_context(unread)?);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(file);
    let headers = reader.headers().with_context(unread)?;
    let column = |name: &str| {
        headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let found: Vec<&str> = headers.iter().collect();
            failure(format!("{shown} has no column \"{name}\": its header is \"{}\"", found.join(",")))
                .hint(shape)
        })
    };
    let [first, second] = [column(columns[0])?, column(columns[1])?];
    Ok(reader.into_records().map(move |record| {
        let record = record.map_err(|error| Fault {
            line: error.position().map_or(0, csv::Position::line),
            what: match error.kind() {
                csv::ErrorKind::Utf8 { .. } => "it is not UTF-8; save the file as \"CSV UTF-8\"".to_owned(),
                _ => error.to_string(),
            },
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let of = |index| match record.get(index) {
            Some(cell) => Ok(text(cell).to_owned()),
            None => Err(Fault { line, what: "it has too few columns".to_owned() }),
        };
        Ok(Row { line, cells: [of(first)?, of(second)?] })
    }))
}

/// What separates the columns of the first line.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_there = |delimiter: &u8| header.contains(delimiter);
    [b',', b';', b'\t'].into_iter().find(is_there).unwrap_or(b',')
}

impl Faults {
    pub(crate) fn add(&mut self, Fault { line, what }: Fault) {
        self.all += 1;
        if self.first.len() < FAULTS_TOLD {
            self.first.push(format!("line {line}: {what}"));
        }
    }

    /// Why the file cannot be used, if it cannot.
    pub(crate) fn refuse(&self, shown: &str, shape: &str) -> Result<(), Failure> {
        if self.all == 0 {
            return Ok(());
        }
        let more = if self.all > self.first.len() { "\n  …" } else { "" };
        let rows = if self.all == 1 { "1 row" } else { &*format!("{} rows", self.all) };
        let first = self.first.join("\n  ");
        Err(failure(format!("{shown} has {rows} that cannot be used:\n  {first}{more}")).hint(shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_texts_stay() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''-1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
            assert_eq!(text(&cell(formula)), formula);
        }
        for plain in ["", "good", "a=b", "1-2", "'", "'tis", "' =1"] {
            assert_eq!((cell(plain).as_ref(), text(plain)), (plain, plain));
        }
    }

    #[test]
    fn what_spreadsheets_write() {
        for file in [
            "sentence,expected\n\"a, b\",x\n'=1,\n",
            "\u{feff}sentence;expected\r\n\"a, b\";x\r\n'=1;\r\n",
            "Expected\tid\tSentence\nx\t1\ta, b\n\t2\t'=1\n",
        ] {
            let rows = rows(file.as_bytes(), "a.csv", ["sentence", "expected"], "").unwrap();
            let rows: Vec<_> = rows.map(|row| row.map(|it| (it.line, it.cells)).ok().unwrap()).collect();
            let expected = [(2, ["a, b", "x"]), (3, ["=1", ""])];
            assert_eq!(rows, expected.map(|(line, cells)| (line, cells.map(str::to_owned))), "{file}");
        }
    }
}

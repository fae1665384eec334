//! Labelled sentences from a file, one at a time.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sentiment::{Outcome, Sentence};
use serde::Deserialize;

use crate::results::spreadsheet::{self, Fault, Faults, Row};
use crate::terminal::failure;

const SHAPE: &str = "a CSV file has the header `sentence,expected`; in JSON Lines each line is an object, \
                     {\"sentence\": \"…\", \"expected\": \"positive\"}; expected is positive, neutral or negative";

/// A labelled sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// Its place in the file, counted from 1.
    pub(super) row: u64,
    /// Trimmed, as the app does.
    pub(super) sentence: String,
    pub(super) expected: Outcome,
}

/// A file of labelled sentences, all of which can be used.
#[derive(Debug)]
pub(super) struct Dataset {
    path: PathBuf,
    form: Form,
    /// How many are evaluated.
    pub(super) sentences: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    JsonLines,
}

type Cases = Box<dyn Iterator<Item = Result<Case, Fault>>>;

/// As it stands in a line of JSON; other fields are ignored.
#[derive(Deserialize)]
struct JsonCase {
    sentence: String,
    expected: String,
}

impl Dataset {
    /// Reads the file at `path` once, or its first `limit` sentences, so that a mistake in it is found before the first
    /// question and not after an hour.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no sentence, or has one that cannot be used; the message tells the first few.
    pub(super) fn check(path: &Path, limit: Option<u64>) -> anyhow::Result<Self> {
        let form = Form::of(path)?;
        let mut dataset = Self { path: path.to_owned(), form, sentences: limit.unwrap_or(u64::MAX) };
        let (mut sentences, mut faults) = (0_u64, Faults::default());
        for case in dataset.read()? {
            match case {
                Ok(_) => sentences += 1,
                Err(fault) => faults.add(fault),
            }
        }
        let shown = path.display();
        faults.refuse(&shown.to_string(), SHAPE)?;
        if sentences == 0 {
            return Err(failure(format!("{shown} has no sentences")).hint(SHAPE).into());
        }
        dataset.sentences = sentences;
        Ok(dataset)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The sentences, in their order.
    ///
    /// # Errors
    ///
    /// The file cannot be opened; an item is one if the file has changed since it was checked.
    pub(super) fn cases(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Case>>> {
        let shown = self.path.display().to_string();
        Ok(self.read()?.map(move |case| {
            case.map_err(|Fault { line, what }| {
                failure(format!("{shown} has changed: line {line}: {what}")).into()
            })
        }))
    }

    fn read(&self) -> anyhow::Result<impl Iterator<Item = Result<Case, Fault>>> {
        let file = File::open(&self.path).with_context(|| format!("cannot open {}", self.path.display()))?;
        let cases = match self.form {
            Form::Csv => csv_cases(file, &self.path)?,
            Form::JsonLines => json_cases(file),
        };
        Ok(cases.take(usize::try_from(self.sentences).unwrap_or(usize::MAX)))
    }
}

impl Form {
    /// By the file's extension; without one that says it, by the first character.
    fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "jsonl" | "ndjson" | "json" => Ok(Self::JsonLines),
            _ => {
                let open = || BufReader::new(File::open(path)?).fill_buf().map(<[u8]>::to_vec);
                let start = open().with_context(|| format!("cannot open {}", path.display()))?;
                let first = start.iter().find(|byte| byte.is_ascii_graphic());
                Ok(if first == Some(&b'{') { Self::JsonLines } else { Self::Csv })
            }
        }
    }
}

fn csv_cases(file: File, path: &Path) -> anyhow::Result<Cases> {
    let rows = spreadsheet::rows(file, &path.display().to_string(), ["sentence", "expected"], SHAPE)?;
    Ok(Box::new(rows.zip(1..).map(|(cells, row)| {
        let Row { line, cells: [sentence, expected] } = cells?;
        case(row, &sentence, &expected).map_err(|what| Fault { line, what })
    })))
}

fn json_cases(file: File) -> Cases {
    let lines = BufReader::new(file).split(b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()));
    Box::new(lines.zip(1..).map(|((line, number), row)| {
        let read = || {
            let line = line.map_err(|error| error.to_string())?;
            let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            let JsonCase { sentence, expected } =
                serde_json::from_slice(text).map_err(|error| error.to_string())?;
            case(row, &sentence, &expected)
        };
        read().map_err(|what| Fault { line: number, what })
    }))
}

fn case(row: u64, sentence: &str, expected: &str) -> Result<Case, String> {
    let sentence = Sentence::new(sentence).map_err(|error| error.to_string())?;
    match expected.trim().parse() {
        Ok(Outcome::Unsure) | Err(_) => {
            Err(format!("expected is {expected:?}, not positive, neutral or negative"))
        }
        Ok(expected) => Ok(Case { row, sentence: sentence.as_str().to_owned(), expected }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(name: &str, content: &[u8], limit: Option<u64>) -> Result<Vec<(u64, String, Outcome)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let dataset = Dataset::check(&path, limit).map_err(|error| format!("{error:#}"))?;
        let cases =
            dataset.cases().unwrap().map(Result::unwrap).map(|case| (case.row, case.sentence, case.expected));
        Ok(cases.collect())
    }

    #[test]
    fn both_forms_say_the_same() {
        let rows = |rows: &[(&str, Outcome)]| {
            Ok(rows
                .iter()
                .zip(1..)
                .map(|((text, expected), row)| (row, (*text).to_owned(), *expected))
                .collect::<Vec<_>>())
        };
        let expected = rows(&[("Well, \"fine\"\nthen", Outcome::Neutral), ("é😀", Outcome::Positive)]);
        let csv =
            "\u{feff}id,Sentence,expected\r\n1,\"Well, \"\"fine\"\"\nthen \",neutral\r\n2,é😀,Positive\r\n";
        let json = "\u{feff}{\"sentence\":\"Well, \\\"fine\\\"\\nthen\",\"expected\":\"neutral\",\"id\":1}\n\n\
                    {\"expected\":\"POSITIVE\",\"sentence\":\"\\u00e9😀\"}";
        for (name, content) in
            [("a.csv", csv), ("a.txt", csv), ("a.jsonl", json), ("a.json", json), ("a", &json[3..])]
        {
            assert_eq!(read(name, content.as_bytes(), None), expected, "{name}");
        }
        assert_eq!(
            read("a.csv", csv.as_bytes(), Some(1)),
            rows(&[("Well, \"fine\"\nthen", Outcome::Neutral)])
        );
    }

    #[test]
    fn faults_are_placed_and_told_together() {
        let cases: [(&str, &[u8], &[&str]); 8] = [
            ("a.csv", b"", &["has no column \"sentence\""]),
            (
                "a.csv",
                b"text,expected\na,neutral\n",
                &["has no column \"sentence\": its header is \"text,expected\""],
            ),
            ("a.csv", b"sentence,expected\n", &["has no sentences"]),
            (
                "a.csv",
                b"sentence,expected\na,neutral\n \"\",bad\nb,good\nc,unsure\nd\n",
                &["4 rows", "line 3: ", "line 4: expected is \"good\"", "line 5", "line 6: it has too few"],
            ),
            ("a.csv", b"sentence,expected\na,neutral\n\xff,neutral\n", &["1 row ", "line 3"]),
            (
                "a.jsonl",
                b"{\"sentence\":\"a\"}\n\nx\n",
                &["2 rows", "line 1: missing field", "line 3: expected value"],
            ),
            ("a.jsonl", b"[{\"sentence\":\"a\",\"expected\":\"neutral\"}]", &["1 row ", "line 1: "]),
            ("a.jsonl", b"{\"sentence\":\"a\\u0000\",\"expected\":\"neutral\"}", &["NUL"]),
        ];
        for (name, content, parts) in cases {
            let message = read(name, content, None).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "{part:?} not in {message}");
            }
        }
        let many = format!("sentence,expected\n{}", ",\n".repeat(9));
        let message = read("a.csv", many.as_bytes(), None).unwrap_err();
        assert!(
            message.contains("9 rows") && message.ends_with('…') && message.matches("line ").count() == 5,
            "{message}"
        );
    }
}

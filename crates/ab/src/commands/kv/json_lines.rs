//! Entries as JSON Lines: `{"key": "…", "value": "<standard base64 with padding>"}`.

use std::collections::HashMap;
use std::io::{self, BufRead};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use stores::Entry;

use crate::terminal::failure;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncodedEntry {
    key: String,
    value: String,
}

/// Writes one entry and a newline.
///
/// # Errors
///
/// `out` cannot be written.
pub(super) fn write(out: &mut dyn io::Write, key: &str, value: &[u8]) -> anyhow::Result<()> {
    let line = EncodedEntry { key: key.to_owned(), value: STANDARD.encode(value) };
    serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// Reads all entries. Empty lines are skipped.
///
/// # Errors
///
/// A line is not an entry, or its key stands in an earlier line; the message says which.
pub(super) fn read(input: impl BufRead) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut lines = HashMap::new();
    for (index, line) in input.split(b'\n').enumerate() {
        let (number, line) = (index + 1, line?);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let wrong = |what: String| {
            failure(format!("line {number}: {what}; nothing was imported"))
                .hint("each line is an entry: {\"key\": \"…\", \"value\": \"<base64>\"}")
        };
        let EncodedEntry { key, value } =
            serde_json::from_slice(&line).map_err(|error| wrong(without_place(&error)))?;
        let value =
            STANDARD.decode(value).map_err(|error| wrong(format!("the value is not base64: {error}")))?;
        if let Some(earlier) = lines.insert(key.clone(), number) {
            return Err(wrong(format!("line {earlier} already has the key {key:?}")).into());
        }
        entries.push((key, value));
    }
    Ok(entries)
}

/// `1 entry`, `2 entries`.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// The parser counts lines from the start of what it was given: always one.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive() {
        let all: Vec<u8> = (0..=255).collect();
        let entries = [("", &all[..]), ("a\nb\0\"\\é😀", b""), ("{SENTENCE}", b"x")];
        let mut text = Vec::new();
        for (key, value) in entries {
            write(&mut text, key, value).unwrap();
        }
        assert_eq!(text.split(|byte| *byte == b'\n').count(), 4);
        let expected = entries.map(|(key, value)| (key.to_owned(), value.to_vec()));
        assert_eq!(read(&text[..]).unwrap(), expected);
    }

    #[test]
    fn faults_are_placed() {
        let cases = [
            ("\n{\"key\":\"a\"}", "line 2: missing field `value`"),
            ("{\"key\":\"a\",\"value\":\"*\"}", "line 1: the value is not base64"),
            ("{\"key\":\"a\",\"value\":\"\",\"x\":1}", "line 1: unknown field `x`"),
            (
                "{\"key\":\"a\",\"value\":\"\"}\n{\"key\":\"a\",\"value\":\"\"}",
                "line 2: line 1 already has the key \"a\"",
            ),
            ("{\"key\":\"\\ud800\",\"value\":\"\"}", "line 1: "),
        ];
        for (text, message) in cases {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(read(&b"{\"key\":\"\xff\",\"value\":\"\"}"[..]).is_err(), "keys are text");
    }

    #[test]
    fn fuzz() {
        let seeds = ["{\"key\":\"a\",\"value\":\"YQ==\"}\n\n{\"key\":\"\\u00e9\",\"value\":\"\"}\r\n"];
        fuzz::bytes(&seeds, |file| {
            let Ok(entries) = read(file) else { return };
            let mut again = Vec::new();
            for (key, value) in &entries {
                write(&mut again, key, value).unwrap();
            }
            assert_eq!(read(&again[..]).unwrap(), entries);
        });
    }
}

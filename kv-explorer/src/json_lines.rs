//! Export and import: JSON Lines, one `{"key": "…", "value": "…"}` to a line, the value in standard base64.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::StatusCode;
use problem::Problem;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// The longest key that the explorer writes, in bytes.
pub(crate) const MAX_KEY: usize = 4 << 10;
/// The longest value that the explorer writes, in bytes.
pub(crate) const MAX_VALUE: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// Writes one entry with its line end.
pub(crate) fn write(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    let line = EntryLine { key: key.into(), value: BASE64_STANDARD.encode(value).into() };
    // Writing text to memory does not fail.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

/// Reads a whole file; the first line that is not an entry is named. Blank lines are skipped.
pub(crate) fn read(file: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut entries = Vec::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    for (number, line) in (1..).zip(file.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let wrong =
            |why: String| Problem::bad_request(format!("Line {number}: {why}. Nothing was imported."));
        let EntryLine { key, value } = serde_json::from_slice(line).map_err(|error| {
            wrong(format!("this is not {{\"key\": \"…\", \"value\": \"<base64>\"}}: {error}"))
        })?;
        let value = BASE64_STANDARD
            .decode(value.as_bytes())
            .map_err(|error| wrong(format!("the value is not standard base64 with padding: {error}")))?;
        check_sizes(&key, &value)
            .map_err(|problem| wrong(problem.detail().trim_end_matches('.').to_owned()))?;
        if let Some(first) = lines.insert(key.clone().into_owned(), number) {
            return Err(wrong(format!("the key is the same as in line {first}")));
        }
        entries.push((key.into_owned(), value));
    }
    Ok(entries)
}

/// Refuses what is larger than the explorer writes.
pub(crate) fn check_sizes(key: &str, value: &[u8]) -> Result<(), Problem> {
    let too_large = |what, size, most| {
        let detail = format!("The {what} has {size} bytes; the limit is {most}.");
        Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
    };
    if key.len() > MAX_KEY {
        return too_large("key", key.len(), MAX_KEY);
    }
    if value.len() > MAX_VALUE {
        return too_large("value", value.len(), MAX_VALUE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_format() {
        let mut out = Vec::new();
        write(&mut out, "I \"love\"\nit 😀", b"\0\xff");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"key\":\"I \\\"love\\\"\\nit 😀\",\"value\":\"AP8=\"}\n"
        );
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(
            read(b"{\"key\":\"a\",\"value\":\"\"}\r\n\n{\"value\":\"AA==\",\"key\":\"\\u0062\"}").unwrap(),
            [("a".to_owned(), vec![]), ("b".to_owned(), vec![0])]
        );
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let good = r#"{"key":"a","value":""}"#;
        let long = format!(r#"{{"key":"{}","value":""}}"#, "x".repeat(MAX_KEY + 1));
        for (bad, why) in [
            ("[]", "this is not"),
            ("{\"key\":\"b\"}", "missing field `value`"),
            (r#"{"key":"b","value":"x"}"#, "not standard base64"),
            (r#"{"key":"b","value":""} {}"#, "trailing characters"),
            (r#"{"key":"b","value":"","ttl":1}"#, "unknown field `ttl`"),
            (r#"{"key":"\ud800","value":""}"#, "this is not"),
            (r#"{"key":"a","value":"AA=="}"#, "the key is the same as in line 1"),
            (long.as_str(), "The key has 4097 bytes"),
        ] {
            let problem = read(format!("{good}\n\n{bad}\n").as_bytes()).unwrap_err();
            assert!(problem.detail().starts_with("Line 3: "), "{}", problem.detail());
            assert!(problem.detail().contains(why), "{} is not {why}", problem.detail());
        }
        assert!(read(b"{\"key\":\"\xff\",\"value\":\"\"}").is_err());
    }

    proptest! {
            #[test]
            fn what_is_written_is_read(
                entries in proptest::collection::btree_map(any::<String>(), any::<Vec<u8>>(), 0..20)
            ) {
                let mut file = Vec::new();
                for (key, value) in &entries {
     write(&mut file, key, value);
    }
                prop_assert_eq!(read(&file).unwrap(), entries.into_iter().collect::<Vec<_>>());
            }

            #[test]
            fn any_bytes_are_read_or_refused(file in any::<Vec<u8>>()) {
                let _ = read(&file);
            }
        }

    #[test]
    fn fuzz() {
        let seeds = ["{\"key\":\"a\",\"value\":\"YQ==\"}\n\n{\"key\":\"\\u00e9\",\"value\":\"\"}\r\n"];
        fuzz::bytes(&seeds, |file| {
            let Ok(entries) = read(file) else { return };
            let mut again = Vec::new();
            for (key, value) in &entries {
                write(&mut again, key, value);
            }
            assert_eq!(read(&again).unwrap(), entries);
        });
    }
}

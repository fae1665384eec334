//! The XML of `JUnit`, which build servers show: a suite for each variant, a test case for each sentence that fails where the
//! answer is wrong, and a suite of what was demanded. Whether the build passes, the exit status says.

use std::fmt::Write as _;
use std::io;

use crate::commands::eval::asking::Answered;
use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;
use crate::commands::report::words;

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"{}\">", escaped(&format!("cargo ab eval: {}", evaluation.data)))?;
    for (index, variant) in evaluation.report.variants.iter().enumerate() {
        let right = variant.accuracy.map_or(0, |accuracy| accuracy.count);
        let errors = evaluation.sentences.saturating_sub(variant.n);
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\">",
            escaped(&variant.label),
            evaluation.sentences,
            variant.n.saturating_sub(right),
        )?;
        let accuracy = variant.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), words::proportion);
        writeln!(
            out,
            "    <properties><property name=\"accuracy\" value=\"{}\"/><property name=\"fingerprint\" value=\"{}\"/></properties>",
            escaped(&accuracy),
            variant.fingerprint
        )?;
        for answered in sentences.read()? {
            out.write_all(case(&answered?, index, &variant.label).as_bytes())?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    if !evaluation.gates.is_empty() {
        let failures = evaluation.gates.iter().filter(|gate| !gate.met).count();
        writeln!(
            out,
            "  <testsuite name=\"demands\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">",
            evaluation.gates.len()
        )?;
        for gate in &evaluation.gates {
            let text = escaped(&gate.text);
            let end =
                if gate.met { "/>".to_owned() } else { format!("><failure message=\"{text}\"/></testcase>") };
            writeln!(out, "    <testcase classname=\"demands\" name=\"{text}\"{end}")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    Ok(writeln!(out, "</testsuites>")?)
}

fn case(answered: &Answered, variant: usize, name: &str) -> String {
    let mut text = format!(
        "    <testcase classname=\"{}\" name=\"{}: {}\"",
        escaped(name),
        answered.row,
        escaped(&answered.sentence)
    );
    let reply = answered.replies.get(variant).and_then(|replies| replies.first());
    let result = match reply {
        Some(Ok(answer)) => {
            // A time, in seconds, that was measured now.
            if !answer.cached {
                let _ =
                    write!(text, " time=\"{}.{:03}\"", answer.elapsed_ms / 1000, answer.elapsed_ms % 1000);
            }
            let expected = answered.expected;
            (answer.outcome != expected).then(|| {
                let message =
                    format!("expected {expected}, got {} ({:?})", answer.outcome, answer.completion);
                format!("<failure message=\"{}\"/>", escaped(&message))
            })
        }
        Some(Err(error)) => Some(format!("<error message=\"{}\"/>", escaped(error))),
        None => None,
    };
    match result {
        Some(result) => writeln!(text, ">{result}</testcase>"),
        None => writeln!(text, "/>"),
    }
    .unwrap_or_default();
    text
}

/// For an attribute. Characters that XML cannot have are replaced; line breaks survive only as references.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => _ = write!(escaped, "&#{};", u32::from(character)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escaped("a<b>&\"'\n\t\u{1}\u{ffff}é😀"),
            "a&lt;b&gt;&amp;&quot;'&#10;&#9;\u{fffd}\u{fffd}é😀"
        );
    }
}

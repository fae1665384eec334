//! The Results page as one file that opens from disk: the same HTML, style and modules as the app serves, with the results
//! inside.
//!
//! The results are JSON in an element that no browser runs. The page's own policy allows its one style and its one script by
//! their hashes and nothing else, so that neither a sentence nor a prompt can become more than text.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

macro_rules! asset {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/", $name))
    };
}

const PAGE: &str = asset!("results.html");

const STYLES: [&str; 2] = [asset!("app.css"), asset!("results.css")];

/// Each after those that it imports, and after all of them the one that shows a file's results.
const MODULES: [&str; 9] = [
    asset!("dom.js"),
    asset!("format.js"),
    asset!("charts.js"),
    asset!("results-conclusion.js"),
    asset!("results-variants.js"),
    asset!("results-comparisons.js"),
    asset!("results-evaluation.js"),
    asset!("results-page.js"),
    asset!("results-file.js"),
];

/// Between two of these the page has what makes sense only where the app serves it.
const SERVED: [&str; 2] = ["<!-- served -->", "<!-- /served -->"];

/// Results with what a page in a file says about them.
#[derive(Serialize)]
struct Document<'a, R> {
    title: &'a str,
    facts: &'a [String],
    #[serde(flatten)]
    results: R,
}

/// Writes the page of `results`, which are those of `GET /api/results` and perhaps more: `title` is that of the document,
/// `facts` say what the results are of.
///
/// # Errors
///
/// `out` cannot be written, or `results` cannot be serialised.
pub(crate) fn write(
    out: &mut dyn io::Write,
    title: &str,
    facts: &[String],
    results: impl Serialize,
) -> anyhow::Result<()> {
    let (style, script) = (STYLES.concat(), script());
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(&style),
        hash(&script)
    );
    let page = without_served_parts(PAGE);
    let [start, rest] = halves(&page, "<meta name=\"viewport\"");
    let [head, body] = halves(rest, "</head>");
    let [body, end] = halves(body, "</body>");
    write!(out, "{start}<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n  {head}")?;
    write!(out, "<style>{style}</style>\n{body}<script type=\"application/json\" id=\"data\">")?;
    serde_json::to_writer(WithoutTags(&mut *out), &Document { title, facts, results })?;
    Ok(write!(out, "</script>\n<script type=\"module\">{script}</script>\n{end}")?)
}

/// All modules as one: what they import from each other is in the same scope.
fn script() -> String {
    let lines = MODULES.iter().flat_map(|module| module.split_inclusive('\n'));
    let lines = lines.filter(|line| !line.starts_with("import ") && !line.starts_with("/** @import "));
    lines.map(|line| line.strip_prefix("export ").unwrap_or(line)).collect()
}

fn without_served_parts(page: &str) -> String {
    let [start, end] = SERVED;
    let (first, rest) = page.split_once(start).unwrap_or((page, ""));
    let rest = rest.split(start).map(|part| part.split_once(end).map_or("", |(_, after)| after));
    [first].into_iter().chain(rest).collect()
}

/// What is before the first `mark`, and the mark with what follows.
fn halves<'a>(text: &'a str, mark: &str) -> [&'a str; 2] {
    text.split_at(text.find(mark).unwrap_or(text.len())).into()
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// JSON on its way into HTML: `<` stands only inside of strings there, where `\u003c` is the same.
struct WithoutTags<W>(W);

impl<W: io::Write> io::Write for WithoutTags<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (index, part) in bytes.split(|byte| *byte == b'<').enumerate() {
            if index > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(results: &serde_json::Value) -> String {
        let mut page = Vec::new();
        write(&mut page, "</title><script>", &["<!--".to_owned()], results).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn a_file_asks_nobody_for_anything() {
        let page = page(&serde_json::json!({}));
        for part in ["src=\"", "href=\"/", "url(", "@import", "import ", "export ", "<!--", "unsafe"] {
            let at = page.find(part);
            assert_eq!(at.map(|at| page[at..].chars().take(80).collect::<String>()), None, "{part}");
        }
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    }

    #[test]
    fn text_in_the_results_ends_nothing() {
        let sentence = "</script><script>alert(1)</script><!-- \u{2028} &lt; \\u003c";
        let results = serde_json::json!({ "sentence": sentence });
        let page = page(&results);
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
        assert!(!page.contains("<!--"));
        let [_, data] = halves(&page, "id=\"data\">");
        let json = data.trim_start_matches("id=\"data\">").split_once("</script>").unwrap().0;
        let read: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!((&read["sentence"], &read["title"]), (&sentence.into(), &"</title><script>".into()));
    }

    #[test]
    fn the_policy_names_what_is_there() {
        let page = page(&serde_json::json!({}));
        for (tag, end) in [("<style>", "</style>"), ("<script type=\"module\">", "</script>")] {
            let content = page.split_once(tag).unwrap().1.split_once(end).unwrap().0;
            assert!(page.contains(&hash(content)), "{tag}");
        }
    }
}

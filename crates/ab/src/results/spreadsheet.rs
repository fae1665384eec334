//! CSV that people open in a spreadsheet.

use std::borrow::Cow;

/// A text as the content of a cell. One that a spreadsheet would run as a formula gets an apostrophe, which spreadsheets do not show
/// (OWASP, "CSV Injection").
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_texts_stay() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["", "good", "a=b", "1-2", "'=1"] {
            assert_eq!(cell(text), text);
        }
    }
}

//! Searching a text. The standard library's search is much code in a component: here it is once, and everything else calls it.

/// What stands before and behind the first `mark`.
pub(crate) fn around<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    text.split_once(mark)
}

/// Whether `part` is in the text.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    around(text, part).is_some()
}

/// The pieces between the marks, at least one.
pub(crate) fn pieces<'t>(text: &'t str, mark: &str) -> impl Iterator<Item = &'t str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = around(text, mark).map_or((text, None), |(piece, after)| (piece, Some(after)));
        rest = after;
        Some(piece)
    })
}

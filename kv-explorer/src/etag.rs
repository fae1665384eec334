//! Entity tags of values, so that an edit replaces only what its author saw.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The tag of some bytes: the first 16 hex digits of their SHA-256, in quotes.
pub(crate) fn of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut tag = String::with_capacity(18);
    tag.push('"');
    for byte in &digest[..8] {
        // Writing to a string does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Whether a list of tags, as `If-Match` and `If-None-Match` carry it, names this one.
pub(crate) fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        assert_eq!(of(b""), "\"e3b0c44298fc1c14\"");
        let tag = of(b"x");
        for (list, named) in [
            (tag.clone(), true),
            (format!("\"y\", W/{tag}"), true),
            ("*".to_owned(), true),
            ("\"y\"".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(names(&list, &tag), named, "{list}");
        }
    }

    #[test]
    fn fuzz() {
        let tag = of(b"x");
        fuzz::text(&["*", "W/\"2d711642b726b044\", \"y\""], |list| {
            let _ = names(list, &tag);
        });
    }
}

//! Names of stores.

use std::fmt;

use crate::StoreError;

const MAX_LENGTH: usize = 64;

/// Spin gives the label `default` to a store of its own: a store of that name would be taken for it.
const RESERVED: &str = "default";

/// The name of a store: it makes a file name on every system, and a word on every command line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreName(String);

impl StoreName {
    /// Takes `text` as a name.
    ///
    /// # Errors
    ///
    /// It breaks the rule; the hint says which.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let character = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let follows_rule = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(character)
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && !text.eq_ignore_ascii_case(RESERVED);
        if follows_rule { Ok(Self(text.to_owned())) } else { Err(StoreError::Name { name: text.to_owned() }) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule() {
        let long = "x".repeat(MAX_LENGTH);
        for good in ["case-a", "a", "0", "A_b-9", &long] {
            assert_eq!(StoreName::parse(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(MAX_LENGTH + 1);
        let bad = [
            "", "a/b", "a\\b", "..", ".", "a.b", "a b", " a", "-a", "_a", "default", "Default", "é", "a\n",
            "a\0", &too_long,
        ];
        for bad in bad {
            assert!(StoreName::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_file_name_or_refused(text in "[a-zA-Z0-9_./\\\\-]{0,70}|\\PC{0,20}") {
            if let Ok(name) = StoreName::parse(&text) {
                let path = std::path::Path::new(name.as_str());
                proptest::prop_assert_eq!(path.file_name(), Some(path.as_os_str()));
            }
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["case-a", "Default", "a_1"], |text| {
            if let Ok(name) = StoreName::parse(text) {
                let path = std::path::Path::new(name.as_str());
                assert_eq!(
                    path.file_name(),
                    Some(path.as_os_str()),
                    "a name is that of a file in its folder"
                );
            }
        });
    }
}

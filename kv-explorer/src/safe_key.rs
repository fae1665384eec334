//! How a key is written in an address: standard base64 with padding, `-` instead of `/`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use problem::Problem;

/// Writes a key for an address.
pub(crate) fn encode(key: &str) -> String {
    BASE64_STANDARD.encode(key).replace('/', "-")
}

/// Reads a key from an address. Each key has exactly one spelling; whatever is not one is refused, rather than taken
/// for another key.
pub(crate) fn decode(safe: &str) -> Result<String, Problem> {
    let malformed = |why: &str| {
        Problem::bad_request(format!(
            "The key in the address {why}: write the standard base64, with padding, of the key's UTF-8 bytes, with \
             `-` instead of `/`."
        ))
    };
    if safe.contains('/') {
        return Err(malformed("holds a `/`"));
    }
    let bytes = BASE64_STANDARD.decode(safe.replace('-', "/")).map_err(|_| malformed("is not base64"))?;
    String::from_utf8(bytes).map_err(|_| malformed("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings() {
        for (key, safe) in
            [("", ""), ("a", "YQ=="), ("a?b", "YT9i"), ("???", "Pz8-"), ("~~~", "fn5+"), ("😀", "8J+YgA==")]
        {
            assert_eq!(encode(key), safe);
            assert_eq!(decode(safe).unwrap(), key);
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for safe in ["YQ", "YQ=", "Y", "YR==", "Pz8/", "Pz8_", "%%%%", "_w==", "-w==", " YQ==", "YQ==\n"] {
            assert!(decode(safe).is_err(), "{safe}");
        }
    }

    proptest! {
        #[test]
        fn every_key_comes_back(key in any::<String>()) {
            prop_assert_eq!(decode(&encode(&key)).unwrap(), key);
        }

        #[test]
        fn nothing_has_two_spellings(safe in "[-+A-Za-z0-9=]{0,12}") {
            if let Ok(key) = decode(&safe) {
                prop_assert_eq!(encode(&key), safe);
            }
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["YQ==", "8J+YgA==", "Pz8-"], |safe| {
            if let Ok(key) = decode(safe) {
                assert_eq!(encode(&key), safe, "a key has one spelling");
            }
            assert_eq!(decode(&encode(safe)).unwrap(), safe);
        });
    }
}

//! Under which key a sentence's record is kept.

use sha2::{Digest, Sha256};

use crate::{hex, prompt::PROMPT_KEY, tally};

/// Whether a key means something else in a variant's store than a sentence: the prompt or a tally. A sentence of that text is kept under
/// its hash.
pub fn is_reserved(key: &str) -> bool {
    key == PROMPT_KEY || key.starts_with(tally::PREFIX)
}

/// The start of a key that is a hash.
pub const HASH_PREFIX: &str = "sha256:";

/// The longest key that is the sentence itself, in bytes. Every kind of store takes keys of this length.
pub const MAX_PLAIN_BYTES: usize = 255;

/// The key of a sentence's record: the trimmed sentence itself, so that a person can read it in a list of keys.
///
/// A sentence that [is reserved](is_reserved), is longer than [`MAX_PLAIN_BYTES`] or starts with [`HASH_PREFIX`] is
/// kept under that prefix and the hex digits of its SHA-256, and its text inside the record. So no two sentences share a
/// key, and no sentence is kept where the prompt or a tally is.
///
/// ```
/// use experiment::Key;
///
/// assert_eq!(Key::for_sentence(" I am so happy today\n").as_str(), "I am so happy today");
/// assert!(Key::for_sentence("prompt").as_str().starts_with("sha256:"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key<'s> {
    sentence: &'s str,
    hash: Option<String>,
}

impl<'s> Key<'s> {
    /// The key of a sentence, which is trimmed first.
    pub fn for_sentence(sentence: &'s str) -> Self {
        let sentence = sentence.trim();
        let plain =
            sentence.len() <= MAX_PLAIN_BYTES && !sentence.starts_with(HASH_PREFIX) && !is_reserved(sentence);
        let hash = (!plain).then(|| {
            let mut key = HASH_PREFIX.to_owned();
            hex::append(&mut key, &Sha256::digest(sentence));
            key
        });
        Self { sentence, hash }
    }

    /// The key as the store has it.
    pub fn as_str(&self) -> &str {
        self.hash.as_deref().unwrap_or(self.sentence)
    }

    /// The sentence, trimmed.
    pub const fn sentence(&self) -> &'s str {
        self.sentence
    }

    /// The sentence where the key does not show it: what the record has to keep.
    pub fn hidden_sentence(&self) -> Option<&'s str> {
        self.hash.is_some().then_some(self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_and_hashed() {
        let longest = "é".repeat(127) + "!";
        let too_long = "é".repeat(128);
        let plain = [
            "I am so happy today",
            "Prompt",
            "a prompt",
            "sha256",
            "tally",
            "Tally: 2:1",
            "a/b?c#d%2F",
            &longest,
        ];
        for sentence in plain {
            let key = Key::for_sentence(sentence);
            assert_eq!((key.as_str(), key.hidden_sentence()), (sentence, None));
        }
        for sentence in
            ["prompt", "sha256:", "sha256:00", "tally:", " tally:index\n", "tally: two to one", &too_long]
        {
            let key = Key::for_sentence(sentence);
            assert_eq!(key.as_str().len(), HASH_PREFIX.len() + 64);
            assert_eq!(key.hidden_sentence(), Some(sentence.trim()));
        }
        // printf prompt | sha256sum
        assert_eq!(
            Key::for_sentence("\tprompt ").as_str(),
            "sha256:cf07194ee232eb531e15f690000d19846dea69cf05504782658afcfacb9228a2"
        );
    }

    proptest! {
        #[test]
        fn keys_are_short_and_tell_sentences_apart(one in any::<String>(), other in any::<String>()) {
            let (one, other) = (Key::for_sentence(&one), Key::for_sentence(&other));
            prop_assert!(one.as_str().len() <= MAX_PLAIN_BYTES);
            prop_assert!(!is_reserved(one.as_str()));
            prop_assert_eq!(one.sentence() == other.sentence(), one.as_str() == other.as_str());
        }

        #[test]
        fn a_key_is_not_the_key_of_another_sentence(sentence in "\\PC{256,400}") {
            let key = Key::for_sentence(&sentence);
            let of_the_key = Key::for_sentence(key.as_str());
            prop_assert_ne!(of_the_key.as_str(), key.as_str());
        }
    }
}

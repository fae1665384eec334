//! A variant's prompt: where it comes from, what tells it from others, and how a sentence is put into it.

use std::{error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::hex;

/// The key under which a variant's store holds its prompt.
pub const PROMPT_KEY: &str = "prompt";

/// What stands in a prompt for the sentence.
pub const PLACEHOLDER: &str = "{SENTENCE}";

/// A prompt, ready to be rendered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prompt {
    text: String,
    fingerprint: Fingerprint,
    origin: Origin,
}

impl Prompt {
    /// The prompt that a store holds, `value` being what stands there under [`PROMPT_KEY`]; where that is not a prompt, the
    /// `default`, which has to contain the placeholder.
    pub fn from_store(value: Option<Vec<u8>>, default: &str) -> Self {
        let text = value
            .ok_or(Fallback::Missing)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| Fallback::NotUtf8))
            .and_then(
                |text| if text.contains(PLACEHOLDER) { Ok(text) } else { Err(Fallback::NoPlaceholder) },
            );
        match text {
            Ok(text) => Self::new(text, Origin::Store),
            Err(reason) => Self::fallback(reason, default),
        }
    }

    /// The default prompt, used for a reason.
    pub fn fallback(reason: Fallback, default: &str) -> Self {
        Self::new(default.to_owned(), Origin::Default(reason))
    }

    fn new(text: String, origin: Origin) -> Self {
        Self { fingerprint: Fingerprint::of(&text), text, origin }
    }

    /// The text, with its placeholders.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a record says about the prompt that produced it.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the store held it, and if not, why.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The prompt with `sentence` instead of every placeholder. The text is read once, so that a sentence with braces in
    /// it, `{SENTENCE}` even, stays as it is.
    ///
    /// ```
    /// use experiment::Prompt;
    ///
    /// let prompt = Prompt::from_store(Some(b"User: {SENTENCE}".to_vec()), "");
    /// assert_eq!(prompt.render("my {SENTENCE}"), "User: my {SENTENCE}");
    /// ```
    pub fn render(&self, sentence: &str) -> String {
        self.text.replace(PLACEHOLDER, sentence)
    }
}

/// Where a prompt comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The variant's store.
    Store,
    /// The app, because the store has no prompt that can be used.
    Default(Fallback),
}

impl Origin {
    /// `store` or `default`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Default(_) => "default",
        }
    }
}

/// Why the default prompt is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fallback {
    /// The store holds no prompt.
    Missing,
    /// The value is not text in UTF-8.
    NotUtf8,
    /// The text has no [`PLACEHOLDER`].
    NoPlaceholder,
    /// The store could not be read; the error.
    Unreadable(String),
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "the store has no value under the key `{PROMPT_KEY}`"),
            Self::NotUtf8 => write!(f, "the value under the key `{PROMPT_KEY}` is not UTF-8"),
            Self::NoPlaceholder => {
                write!(f, "the value under the key `{PROMPT_KEY}` does not contain {PLACEHOLDER}")
            }
            Self::Unreadable(error) => f.write_str(error),
        }
    }
}

/// What tells one prompt from another: the first 12 hex digits of the SHA-256 of its text, in lower case.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; Self::DIGITS]);

impl Fingerprint {
    /// How many hex digits it has.
    pub const DIGITS: usize = 12;

    /// The fingerprint of a prompt's text.
    pub fn of(text: &str) -> Self {
        Self(hex::first(&Sha256::digest(text)))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        // The digits are ASCII, so this is always the whole of them.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: [u8; Self::DIGITS] = text.as_bytes().try_into().map_err(|_| InvalidFingerprint)?;
        let valid = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(digits)) } else { Err(InvalidFingerprint) }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Fingerprint;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fingerprint")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Fingerprint, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// The text is not a [`Fingerprint`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidFingerprint;

impl fmt::Display for InvalidFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fingerprint is {} hex digits in lower case", Fingerprint::DIGITS)
    }
}

impl error::Error for InvalidFingerprint {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEFAULT: &str = "default: {SENTENCE}";

    #[test]
    fn where_a_prompt_comes_from() {
        let usable = ["a {SENTENCE}", "\n\u{1f327} {SENTENCE}\n"];
        for text in usable {
            let prompt = Prompt::from_store(Some(text.as_bytes().to_vec()), DEFAULT);
            assert_eq!((prompt.text(), prompt.origin()), (text, &Origin::Store));
        }
        let unusable: [(Option<&[u8]>, Fallback); 4] = [
            (None, Fallback::Missing),
            (Some(b""), Fallback::NoPlaceholder),
            (Some(b"a {sentence}"), Fallback::NoPlaceholder),
            (Some(b"\xff {SENTENCE}"), Fallback::NotUtf8),
        ];
        for (value, reason) in unusable {
            let prompt = Prompt::from_store(value.map(<[u8]>::to_vec), DEFAULT);
            assert_eq!((prompt.text(), prompt.origin()), (DEFAULT, &Origin::Default(reason)));
        }
    }

    #[test]
    fn every_placeholder_is_replaced_once() {
        let prompt =
            Prompt::from_store(Some(b"{SENTENCE}, {{SENTENCE}} and {SENT{SENTENCE}ENCE}".to_vec()), DEFAULT);
        assert_eq!(prompt.render("x"), "x, {x} and {SENTxENCE}");
        assert_eq!(prompt.render("{SENTENCE}"), "{SENTENCE}, {{SENTENCE}} and {SENT{SENTENCE}ENCE}");
    }

    #[test]
    fn fingerprints() {
        // printf abc | sha256sum
        assert_eq!(Fingerprint::of("abc").to_string(), "ba7816bf8f01");
        assert_eq!("ba7816bf8f01".parse(), Ok(Fingerprint::of("abc")));
        for text in ["", "ba7816bf8f0", "ba7816bf8f010", "BA7816BF8F01", "xa7816bf8f01", "é7816bf8f01"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(InvalidFingerprint), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_sentence_is_found_whole_in_the_prompt(
            before in any::<String>(),
            after in any::<String>(),
            sentence in any::<String>(),
        ) {
            let text = format!("{before}{PLACEHOLDER}{after}");
            let prompt = Prompt::from_store(Some(text.clone().into_bytes()), DEFAULT);
            prop_assert_eq!(prompt.origin(), &Origin::Store);
            prop_assert_eq!(prompt.text(), &text);
            prop_assert!(prompt.render(&sentence).contains(&sentence));
        }

        #[test]
        fn any_value_gives_a_prompt_that_takes_a_sentence(value in any::<Option<Vec<u8>>>(), sentence in any::<String>()) {
            let prompt = Prompt::from_store(value, DEFAULT);
            prop_assert!(prompt.render(&sentence).contains(&sentence));
        }
    }

    #[test]
    fn fuzz() {
        fuzz::texts(
            &["User: {SENTENCE}\nSentiment:\u{1f}a sentence with {SENTENCE} in it"],
            |value, sentence| {
                let prompt = Prompt::from_store(Some(value.as_bytes().to_vec()), DEFAULT);
                assert!(prompt.render(sentence).contains(sentence));
            },
        );
    }
}

//! The rules a sentence has to meet before a model sees it.

use std::{error, fmt};

/// A sentence that may be classified: trimmed, with something in it, at most [`Sentence::MAX_BYTES`] long.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sentence<'t>(&'t str);

impl<'t> Sentence<'t> {
    /// The longest sentence, in bytes of UTF-8, white space around it not counted.
    pub const MAX_BYTES: usize = 4096;

    /// Trims the text and checks it.
    pub fn new(text: &'t str) -> Result<Self, InvalidSentence> {
        let sentence = text.trim();
        if sentence.is_empty() {
            Err(InvalidSentence::Blank)
        } else if sentence.len() > Self::MAX_BYTES {
            Err(InvalidSentence::TooLong { bytes: sentence.len() })
        } else if sentence.contains('\0') {
            // Stores and model servers written in C end a text there: two sentences would share a key.
            Err(InvalidSentence::Nul)
        } else {
            Ok(Self(sentence))
        }
    }

    /// The trimmed text.
    pub const fn as_str(self) -> &'t str {
        self.0
    }
}

/// Why a text is not a [`Sentence`], in whole sentences.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidSentence {
    /// Empty, or nothing but white space.
    Blank,
    /// More than [`Sentence::MAX_BYTES`].
    TooLong {
        /// How long it is, trimmed.
        bytes: usize,
    },
    /// It contains the character U+0000.
    Nul,
}

impl fmt::Display for InvalidSentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("The sentence is empty. Write something to classify."),
            Self::TooLong { bytes } => {
                write!(f, "The sentence is {bytes} bytes long; the limit is {}.", Sentence::MAX_BYTES)
            }
            Self::Nul => f.write_str("The sentence contains a NUL character (U+0000). Remove it."),
        }
    }
}

impl error::Error for InvalidSentence {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let longest = "é".repeat(Sentence::MAX_BYTES / 2);
        let padded = format!("\u{3000}\n{longest}\t ");
        let too_long = format!("{longest}!");
        let cases: &[(&str, Result<&str, InvalidSentence>)] = &[
            ("I am so happy today", Ok("I am so happy today")),
            ("  prompt\n", Ok("prompt")),
            ("a\nb", Ok("a\nb")),
            (&longest, Ok(&longest)),
            (&padded, Ok(&longest)),
            ("", Err(InvalidSentence::Blank)),
            (" \n\u{3000}\u{a0}", Err(InvalidSentence::Blank)),
            (&too_long, Err(InvalidSentence::TooLong { bytes: 4097 })),
            ("nul\0", Err(InvalidSentence::Nul)),
        ];
        for (text, expected) in cases {
            assert_eq!(Sentence::new(text).map(Sentence::as_str), *expected, "{text:?}");
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["I am so happy today", " caf\u{e9}\n"], |text| {
            if let Ok(sentence) = Sentence::new(text) {
                assert!((1..=Sentence::MAX_BYTES).contains(&sentence.as_str().len()));
            }
        });
    }
}

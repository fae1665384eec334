//! Feeds readers anything, in their tests: a corpus of nasty inputs, the inputs that they take, and mutations of both.
//!
//! A reader's test is named `fuzz`, so that one command runs them all, with as many mutations as wanted:
//!
//! ```sh
//! PROPTEST_CASES=1000000 cargo test --lib fuzz
//! ```
//!
//! - [`bytes`], [`text`] and [`texts`]: the test of a reader of bytes, of text, and of two texts.
//! - [`corpus`]: inputs that have broken readers, here or elsewhere.
//! - `mutation`: inputs made of others; [`random`]: numbers for that, and for whoever else wants to repeat what happened.

#![expect(clippy::panic, reason = "what a reader does wrong fails the test that uses this")]

pub mod corpus;
mod mutation;
pub mod random;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::mutation::{Mutations, smallest};

/// How many mutations are tried unless the environment variable `PROPTEST_CASES` says otherwise.
const CASES: u64 = 256;

/// Gives `read` the corpus, the `seeds`, which are inputs that it takes, and mutations of them. What `read` panics at is made smaller and
/// shown, to be added to the corpus.
///
/// # Panics
///
/// `read` does.
pub fn bytes(seeds: &[&str], read: impl Fn(&[u8])) {
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    let panics = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| read(input))).is_err();
    for input in seeds.iter().cloned().chain(corpus::inputs()).chain(Mutations::of(&seeds, cases())) {
        if panics(&input) {
            let smallest = smallest(input, panics);
            panic!("the reader panics at b\"{}\"", smallest.escape_ascii());
        }
    }
}

/// The same for a reader of text.
///
/// # Panics
///
/// `read` does.
pub fn text(seeds: &[&str], read: impl Fn(&str)) {
    bytes(seeds, |input| read(&String::from_utf8_lossy(input)));
}

/// The same for a reader of two texts, which are one in `seeds`, with U+001F between them.
///
/// # Panics
///
/// `read` does.
pub fn texts(seeds: &[&str], read: impl Fn(&str, &str)) {
    text(seeds, |input| {
        let (first, second) = input.split_once('\u{1f}').unwrap_or((input, input));
        read(first, second);
    });
}

fn cases() -> u64 {
    env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_panics_at_is_found_and_made_small() {
        let fuzz = || bytes(&["{\"key\": \"value\"}"], |input| assert!(!input.ends_with(b"\"\"}")));
        let shown = catch_unwind(fuzz).unwrap_err();
        let shown = shown.downcast_ref::<String>().map(String::as_str);
        assert_eq!(shown, Some(r#"the reader panics at b"\"\"}""#));
    }

    #[test]
    fn texts_are_two() {
        let seen = std::cell::Cell::new(false);
        texts(&["a\u{1f}b"], |first, second| seen.set(seen.get() || (first, second) == ("a", "b")));
        assert!(seen.get());
    }
}

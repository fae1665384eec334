//! Single keys, from a terminal or a pipe.

use std::io::{self, BufReader, IsTerminal as _, Read as _, StdinLock};

use dialoguer::console::{self, Term};
use sentiment::Outcome;

use crate::terminal::{failure, interrupted, program};

/// The keys, as people are told.
pub(super) const ALL: &str = "1 positive  2 neutral  3 negative  s cannot tell  u undo  q quit";

/// Those that are left at the end.
pub(super) const AT_THE_END: &str = "u undo  q quit";

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// To say what is right; `None` if they cannot tell.
    Say(Option<Outcome>),
    /// To take back what they said last.
    Undo,
    Quit,
}

/// Where keys come from.
pub(super) enum Keys {
    Terminal(Term),
    /// The bytes, and whether there was any key among them.
    Pipe(io::Bytes<BufReader<StdinLock<'static>>>, bool),
}

impl Key {
    /// What a character means, if it is a key.
    pub(super) fn of(character: char) -> Option<Self> {
        Some(match character.to_ascii_lowercase() {
            '1' => Self::Say(Some(Outcome::Positive)),
            '2' => Self::Say(Some(Outcome::Neutral)),
            '3' => Self::Say(Some(Outcome::Negative)),
            's' => Self::Say(None),
            'u' => Self::Undo,
            'q' => Self::Quit,
            _ => return None,
        })
    }
}

impl Keys {
    /// Those of standard input.
    pub(super) fn of_standard_input() -> Self {
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Self::Terminal(Term::stderr())
        } else {
            Self::Pipe(BufReader::new(io::stdin().lock()).bytes(), false)
        }
    }

    /// The terminal, if a person sits there.
    pub(super) fn terminal(&self) -> Option<&Term> {
        match self {
            Self::Terminal(term) => Some(term),
            Self::Pipe(..) => None,
        }
    }

    /// The next one. At a terminal everything else is passed over, in a pipe white space alone; its end means to quit.
    ///
    /// # Errors
    ///
    /// The person broke off, standard input cannot be read, or a pipe has something that is not a key, or nothing.
    pub(super) fn next(&mut self) -> anyhow::Result<Key> {
        match self {
            Self::Terminal(term) => loop {
                match term.read_key_raw()? {
                    console::Key::CtrlC => return Err(interrupted().into()),
                    console::Key::Char('\u{4}') => return Ok(Key::Quit),
                    console::Key::Char(character) => {
                        if let Some(key) = Key::of(character) {
                            return Ok(key);
                        }
                    }
                    _ => {}
                }
            },
            Self::Pipe(bytes, any) => {
                let Some(byte) =
                    bytes.by_ref().find(|byte| !byte.as_ref().is_ok_and(u8::is_ascii_whitespace))
                else {
                    return if *any { Ok(Key::Quit) } else { Err(nothing_to_read()) };
                };
                *any = true;
                let character = char::from(byte?);
                Key::of(character).ok_or_else(|| {
                    failure(format!("standard input has {character:?}, which is not a key"))
                        .hint(format!("keys: {ALL}"))
                        .into()
                })
            }
        }
    }
}

fn nothing_to_read() -> anyhow::Error {
    failure("standard input is not a terminal, and it had no keys")
        .hint(format!(
            "run it in a terminal, pipe keys into it (`printf 13s | {0} annotate`), or use a spreadsheet: `{0} annotate --export FILE.csv`",
            program()
        ))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_people_are_told_is_one() {
        for key in ALL.split("  ") {
            let character = key.chars().next().unwrap();
            assert!(Key::of(character).is_some(), "{key}");
            assert_eq!(Key::of(character), Key::of(character.to_ascii_uppercase()));
        }
        assert_eq!(Key::of('4'), None);
    }
}

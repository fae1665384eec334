//! A TOML file and the places in it, so that every error can say where.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor, value};
use toml::Spanned;

/// A line of a file, shown as `spin.toml:12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// What is wrong in a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong. Secrets are left out.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Why a file of the app cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file, or it is not for us to read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file, as it was given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it says cannot be used, by Spin neither.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl FileError {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Fault(fault) => Some(fault.hint.clone()),
            Self::Unreadable { .. } => None,
        }
    }
}

/// The text of a TOML file together with its name.
#[derive(Clone, Copy)]
pub(crate) struct TomlFile<'a> {
    path: &'a Path,
    text: &'a str,
    /// What to do about whatever is wrong in it.
    hint: &'static str,
}

impl<'a> TomlFile<'a> {
    pub(crate) fn new(path: &'a Path, text: &'a str, hint: &'static str) -> Self {
        Self { path, text, hint }
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message().trim_end().replace('\n', ", ");
            // TOML calls them keys; "field" is Serde's word.
            let message = match message.strip_prefix("unknown field") {
                Some(rest) => format!("unknown key{rest}"),
                None => message.replace("missing field", "missing key"),
            };
            self.fault(error.span().unwrap_or_default(), message)
        })
    }

    /// Something wrong at `span`, with the usual hint.
    pub(crate) fn fault(&self, span: Range<usize>, message: String) -> Fault {
        Fault { place: self.place(span), message, hint: self.hint.to_owned() }
    }

    /// Something at `span` that Spin offers and the embedded runtime does not.
    pub(crate) fn needs_spin(&self, span: Range<usize>, what: &str) -> Fault {
        let hint = "run this app with `spin up`, or remove it".to_owned();
        Fault { place: self.place(span), message: format!("{what} needs Spin"), hint }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        let line = before.split(|byte| *byte == b'\n').count();
        Place { path: self.path.to_owned(), line }
    }
}

/// A table whose keys are names of the writer's choice, in the order in which they were written.
pub(crate) struct Entries<T>(pub(crate) Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(Vec<(Spanned<String>, T)>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
                while let Some(entry) = map.next_entry()? {
                    self.0.push(entry);
                }
                Ok(Entries(self.0))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(Vec::new()))
    }
}

/// A key that takes a string, or a longer form as a table or an array.
///
/// Serde's untagged enums would do, were it not that they lose the place and the reason of an error.
pub(crate) enum TextOr<T> {
    Text(String),
    Long(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or this key's longer form")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(value::MapAccessDeserializer::new(map)).map(TextOr::Long)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                T::deserialize(value::SeqAccessDeserializer::new(seq)).map(TextOr::Long)
            }
        }
        deserializer.deserialize_any(TextOrVisitor(std::marker::PhantomData))
    }
}

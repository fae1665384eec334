//! The runtime configuration: which store a label means and which model answers.
//!
//! The file is Spin's. What only Spin can do is listed in [`RuntimeConfig::beyond`]. So are unknown keys inside a table,
//! which Spin ignores: a mistyped `path` must not turn a store into another one.

mod edit;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::Manifest;
use crate::password::without_password;
use crate::store_address::{StoreAddress, absolute};
use crate::toml_file::{Fault, FileError};

/// The label that Spin links by itself, and the file that it uses for it.
const DEFAULT_LABEL: &str = "default";
const DEFAULT_STORE: &str = ".spin/sqlite_key_value.db";

/// Where labels lead, and the model: a file that can be read and edited.
#[derive(Clone)]
pub struct RuntimeConfig {
    /// The file.
    pub path: PathBuf,
    /// The links that the file makes: labels and the stores that they mean.
    pub links: BTreeMap<String, StoreAddress>,
    /// The model server; without it inference fails.
    pub llm: Option<LlmConfig>,
    /// What the embedded runtime cannot do, in the order in which it was found.
    pub beyond: Vec<Fault>,
    text: String,
}

/// A model server: `[llm_compute]` with `type = "remote_http"`.
#[derive(Clone, PartialEq, Eq)]
pub struct LlmConfig {
    /// Its address.
    pub url: String,
    /// What it wants to see in the header `authorization`.
    pub auth_token: String,
    /// How it is spoken to.
    pub api: ApiType,
}

/// The protocol of a model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiType {
    /// Spin's own: `POST URL/infer`.
    #[default]
    Default,
    /// That of `OpenAI` and many others: `POST /v1/chat/completions`.
    OpenAi,
}

impl RuntimeConfig {
    /// Reads the file at `path`. A file that does not exist is an empty one.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or Spin would not accept it either.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(text, path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::parse(String::new(), path)?),
            Err(source) => Err(FileError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// As [`load`](Self::load), from the text that stands at `path`, from whose folder its paths start.
    ///
    /// # Errors
    ///
    /// Spin would not accept it either.
    pub fn parse(text: String, path: &Path) -> Result<Self, Fault> {
        read::read(text, path)
    }

    /// The store that each label means to `app`: all links, and the one that Spin makes by itself if the app opens the
    /// label `default` and the file does not define it.
    pub fn stores(&self, app: &Manifest) -> BTreeMap<String, StoreAddress> {
        let mut stores = self.links.clone();
        if app.labels().contains(DEFAULT_LABEL) {
            stores
                .entry(DEFAULT_LABEL.to_owned())
                .or_insert_with(|| StoreAddress::Sqlite(absolute(&app.folder.join(DEFAULT_STORE))));
        }
        stores
    }

    /// Checks that every label which a component opens is linked.
    ///
    /// # Errors
    ///
    /// Names each that is not.
    pub fn check_labels(&self, app: &Manifest) -> Result<(), UnknownLabels> {
        let labels = app.components.iter().flat_map(|component| {
            component.key_value_stores.iter().map(|label| (label.clone(), component.id.clone()))
        });
        let stores = self.stores(app);
        let unknown: Vec<_> = labels.filter(|(label, _)| !stores.contains_key(label)).collect();
        if unknown.is_empty() { Ok(()) } else { Err(UnknownLabels(unknown)) }
    }
}

impl fmt::Debug for RuntimeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, links, llm, .. } = self;
        let mut shown = f.debug_struct("RuntimeConfig");
        shown.field("path", path).field("links", links).field("llm", llm).finish_non_exhaustive()
    }
}

impl fmt::Debug for LlmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, auth_token: _, api } = self;
        f.debug_struct("LlmConfig")
            .field("url", &without_password(url))
            .field("api", api)
            .finish_non_exhaustive()
    }
}

/// Labels that components open and the runtime configuration does not define, each with its component's id, in the order
/// of the manifest; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct UnknownLabels(pub Vec<(String, String)>);

impl fmt::Display for UnknownLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (label, component)) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}unknown key_value_stores label {label:?} for component {component:?}")?;
        }
        Ok(())
    }
}

impl UnknownLabels {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let mut labels: Vec<_> = self.0.iter().map(|(label, _)| label).collect();
        labels.sort_unstable();
        labels.dedup();
        let tables: Vec<_> = labels.iter().map(|label| format!("[key_value_store.{label}]")).collect();
        format!("define {} in the runtime configuration", tables.join(" and "))
    }
}

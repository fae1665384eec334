//! `spin.toml`: what the app consists of and what each component may do.
//!
//! Whatever Spin accepts is read. What the embedded runtime cannot run is listed in [`Manifest::beyond`], for the runtime
//! to refuse and for others to ignore. What Spin rejects is an error: unknown keys, invalid names, triggers of components
//! that do not exist.

mod names;
mod read;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::toml_file::{Fault, FileError};

/// A manifest's usual name.
pub const FILE: &str = "spin.toml";

/// A Spin app, as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The manifest file.
    pub path: PathBuf,
    /// The folder of the manifest, from which its paths start.
    pub folder: PathBuf,
    /// The app's name.
    pub name: String,
    /// The app's version; empty if it says none.
    pub version: String,
    /// The app's variables, by name.
    pub variables: BTreeMap<String, Variable>,
    /// The HTTP triggers, in the order in which they were written.
    pub triggers: Vec<HttpTrigger>,
    /// The components, in the order in which they were written; those defined inside a trigger come last.
    pub components: Vec<Component>,
    /// What the embedded runtime cannot run, in the order in which it was found.
    pub beyond: Vec<Fault>,
}

/// A variable of the app, from `[variables]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The value if no provider has one. A variable without it is required.
    pub default: Option<String>,
}

/// `[[trigger.http]]`: which requests go to which component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTrigger {
    /// The trigger's name, given by the manifest or made up by Spin's rules.
    pub id: String,
    /// Which requests.
    pub route: Route,
    /// The component's id; it is in [`Manifest::components`].
    pub component: String,
}

/// Which requests a trigger takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Those whose path matches this pattern, as it was written.
    Public(String),
    /// Only those of the app's other components, at `COMPONENT.spin.internal`.
    Private,
}

/// `[component.ID]`: a Wasm component and what it may do.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its name in the manifest, in kebab-case.
    pub id: String,
    /// The Wasm file; `None` if Spin downloads it.
    pub source: Option<PathBuf>,
    /// Its variables: templates over the app's variables, by name.
    pub variables: BTreeMap<String, String>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The files that it may read.
    pub files: Vec<FilesMount>,
    /// Glob patterns, from the manifest's folder, of files that it may not read although they match.
    pub exclude_files: Vec<String>,
    /// The hosts it may call, as written: see [`crate::outbound`].
    pub allowed_outbound_hosts: Vec<String>,
    /// The labels of the stores it may open.
    pub key_value_stores: Vec<String>,
    /// The models it may use.
    pub ai_models: Vec<String>,
    /// How it is built, if it says so.
    pub build: Option<Build>,
}

/// An entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesMount {
    /// A file, a folder or a glob pattern in the manifest's folder, seen by the component under the same path.
    Pattern(String),
    /// A file or folder that the component sees somewhere else.
    Placement {
        /// On this machine.
        source: PathBuf,
        /// In the component, an absolute path.
        destination: String,
    },
}

/// `[component.ID.build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The shell commands, to be run one after another.
    pub commands: Vec<String>,
    /// Where to run them, from the manifest's folder; without it, in that folder.
    pub workdir: Option<PathBuf>,
}

impl Manifest {
    /// Reads a manifest. `path` is the file, or the folder with a `spin.toml` in it.
    ///
    /// # Errors
    ///
    /// There is no such file, or Spin would not accept it either.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text, &path)?),
            Err(source) => Err(FileError::Unreadable { path, source }),
        }
    }

    /// Reads a manifest's text. `path` is where it stands: its paths start from the folder of that file.
    ///
    /// # Errors
    ///
    /// Spin would not accept it either.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Fault> {
        read::read(text, path)
    }

    /// The component with this id.
    pub fn component(&self, id: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.id == id)
    }

    /// Every label that some component may open.
    pub fn labels(&self) -> BTreeSet<&str> {
        self.components.iter().flat_map(|component| &component.key_value_stores).map(String::as_str).collect()
    }
}

//! The app of a folder: as much of its manifest as the tools need. The runtime reads the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::terminal::{failure, program};

const MANIFEST: &str = "spin.toml";

/// An app, read from its manifest.
#[derive(Debug)]
pub(crate) struct App {
    /// The name in `[application]`.
    pub(crate) name: String,
    /// The manifest, absolute.
    pub(crate) manifest: PathBuf,
    /// The folder of the manifest, absolute.
    pub(crate) folder: PathBuf,
    /// The components, by their id.
    pub(crate) components: BTreeMap<String, Component>,
    variables: BTreeMap<String, Variable>,
}

/// A variable of the app.
#[derive(Debug, Default, Deserialize)]
struct Variable {
    default: Option<String>,
}

/// One component.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Component {
    /// The labels it may open.
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    /// How it is built.
    pub(crate) build: Option<Build>,
}

/// How a component is built.
#[derive(Debug, Deserialize)]
pub(crate) struct Build {
    command: Commands,
    /// Where the command runs, below the app's folder.
    pub(crate) workdir: Option<PathBuf>,
}

impl Build {
    /// The commands, in order.
    pub(crate) fn commands(&self) -> &[String] {
        match &self.command {
            Commands::One(command) => std::slice::from_ref(command),
            Commands::Several(commands) => commands,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Commands {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Manifest {
    spin_manifest_version: u8,
    application: Application,
    #[serde(default)]
    component: BTreeMap<String, Component>,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
}

#[derive(Deserialize)]
struct Application {
    name: String,
}

impl App {
    /// The app at `from`, a manifest or its folder; without it, the app of the current folder or of the nearest one above
    /// it, not beyond the root of a Git repository.
    ///
    /// # Errors
    ///
    /// There is no manifest, it cannot be read, or it is not one of version 2.
    pub(crate) fn find(from: Option<&Path>) -> anyhow::Result<Self> {
        let manifest = match from {
            Some(path) if path.is_dir() => path.join(MANIFEST),
            Some(path) => path.to_owned(),
            None => search_upwards()?,
        };
        if !manifest.is_file() {
            return Err(failure(format!("there is no manifest at {}", manifest.display()))
                .hint("--from takes a spin.toml, or the folder that holds one")
                .into());
        }
        Self::read(&manifest)
    }

    /// The app of the manifest at `path`.
    ///
    /// # Errors
    ///
    /// The manifest cannot be read, or it is not one of version 2.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| {
            failure(format!("{shown} is not a Spin manifest:\n{}", error.to_string().trim_end()))
                .hint("correct it as Spin's manifest reference describes")
        })?;
        if manifest.spin_manifest_version != 2 {
            let version = manifest.spin_manifest_version;
            return Err(failure(format!("{shown} has spin_manifest_version {version}; only 2 is supported"))
                .hint("correct it as Spin's manifest reference describes")
                .into());
        }
        let manifest_path = fs::canonicalize(path).with_context(|| format!("cannot read {shown}"))?;
        Ok(Self {
            name: manifest.application.name,
            folder: manifest_path.parent().unwrap_or(Path::new("/")).to_owned(),
            manifest: manifest_path,
            components: manifest.component,
            variables: manifest.variables,
        })
    }

    /// Agrees to `name`, or to none given: a folder has one app.
    ///
    /// # Errors
    ///
    /// The app here has another name.
    pub(crate) fn expect_name(&self, name: Option<&str>) -> anyhow::Result<()> {
        match name {
            Some(name) if name != self.name => Err(failure(format!(
                "there is no app \"{name}\" here: the app of this folder is \"{}\"",
                self.name
            ))
            .hint("leave --app out, or name another app's folder with --from")
            .into()),
            _ => Ok(()),
        }
    }

    /// The value that a variable of the app has where `up` is told nothing else: that of the environment variable
    /// `SPIN_VARIABLE_NAME`, or its default. `None` if the app has no such variable, or it has no value.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let variable = self.variables.get(name)?;
        env::var(format!("SPIN_VARIABLE_{}", name.to_uppercase())).ok().or_else(|| variable.default.clone())
    }

    /// Every label that some component may open.
    pub(crate) fn labels(&self) -> BTreeSet<&str> {
        self.components
            .values()
            .flat_map(|component| &component.key_value_stores)
            .map(String::as_str)
            .collect()
    }
}

fn search_upwards() -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("cannot tell the current folder")?;
    for folder in here.ancestors() {
        let candidate = folder.join(MANIFEST);
        if candidate.is_file() {
            return Ok(candidate);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Err(failure(format!("there is no {MANIFEST} in {} or above it", here.display()))
        .hint(format!("run `{}` in an app's folder, or name the folder with --from", program()))
        .into())
}

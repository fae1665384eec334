//! Where an app is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::manifest::FILE;
use spin_app::{Manifest, absolute};

use crate::terminal::{failure, program};

/// The file beside the manifest that holds the links, unless another is named.
pub(super) const RUNTIME_CONFIG: &str = "runtime-config.toml";

/// Where the app is, as a person said it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Location {
    /// A manifest or its folder; without it, the app of the current folder or of the nearest one above it, not beyond the
    /// root of a Git repository.
    pub(crate) from: Option<PathBuf>,
    /// Another runtime configuration file than `runtime-config.toml` beside the manifest.
    pub(crate) runtime_config_file: Option<PathBuf>,
}

impl Location {
    /// The app there. Its paths are absolute.
    ///
    /// # Errors
    ///
    /// There is no manifest, it cannot be read, or Spin would not accept it either.
    pub(crate) fn app(&self) -> anyhow::Result<Manifest> {
        let manifest = match &self.from {
            Some(path) if path.is_dir() => path.join(FILE),
            Some(path) => path.clone(),
            None => search_upwards()?,
        };
        read_app(&manifest)
    }

    /// The runtime configuration file of `app`.
    pub(crate) fn runtime_config(&self, app: &Manifest) -> PathBuf {
        self.runtime_config_file.as_deref().map_or_else(|| app.folder.join(RUNTIME_CONFIG), absolute)
    }
}

/// The app of the manifest at `path`. Its paths are absolute.
///
/// # Errors
///
/// As [`Location::app`].
pub(super) fn read_app(path: &Path) -> anyhow::Result<Manifest> {
    let shown = path.display();
    if !path.is_file() {
        return Err(failure(format!("there is no manifest at {shown}"))
            .hint("--from takes a spin.toml, or the folder that holds one")
            .into());
    }
    Ok(Manifest::load(&fs::canonicalize(path).with_context(|| format!("cannot read {shown}"))?)?)
}

fn search_upwards() -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("cannot find the current folder")?;
    for folder in here.ancestors() {
        let candidate = folder.join(FILE);
        if candidate.is_file() {
            return Ok(candidate);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Err(failure(format!("there is no {FILE} in {} or above it", here.display()))
        .hint(format!("run `{}` in an app's folder, or name the folder with --from", program()))
        .into())
}

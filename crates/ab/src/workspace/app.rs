//! The app of a folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::Manifest;
use spin_app::manifest::FILE;

use crate::terminal::{Failure, failure, program};

/// The app at `from`, a manifest or its folder; without it, the app of the current folder or of the nearest one above
/// it, not beyond the root of a Git repository. Its paths are absolute.
///
/// # Errors
///
/// There is no manifest, it cannot be read, or it is not one that Spin would accept.
pub(crate) fn find(from: Option<&Path>) -> anyhow::Result<Manifest> {
    let manifest = match from {
        Some(path) if path.is_dir() => path.join(FILE),
        Some(path) => path.to_owned(),
        None => search_upwards()?,
    };
    if !manifest.is_file() {
        return Err(failure(format!("there is no manifest at {}", manifest.display()))
            .hint("--from takes a spin.toml, or the folder that holds one")
            .into());
    }
    let manifest =
        fs::canonicalize(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    Ok(Manifest::load(&manifest).map_err(|error| Failure::explain(&error, error.hint()))?)
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

//! The links, in the runtime configuration file.

use std::path::Path;

use anyhow::Context as _;
use spin_app::StoreAddress;

use super::durable;
use crate::terminal::Failure;

/// A label and the store it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) address: StoreAddress,
}

/// A runtime configuration file.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeConfig {
    pub(crate) file: spin_app::RuntimeConfig,
}

impl RuntimeConfig {
    /// Reads the file at `path`; a missing one is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not one that Spin would accept.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        match spin_app::RuntimeConfig::load(path) {
            Ok(file) => Ok(Self { file }),
            Err(error) => Err(Failure::explain(&error, error.hint()).into()),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// All links, in the order of their labels.
    ///
    /// # Errors
    ///
    /// None.
    #[expect(clippy::unnecessary_wraps, reason = "callers are about to change")]
    pub(crate) fn links(&self) -> anyhow::Result<Vec<Link>> {
        let link = |(label, address): (&String, &StoreAddress)| Link {
            label: label.clone(),
            address: address.clone(),
        };
        Ok(self.file.links.iter().map(link).collect())
    }

    /// Makes `label` mean the store at `address`.
    ///
    /// # Errors
    ///
    /// The file is not written as this program can edit it.
    pub(crate) fn set(&mut self, label: &str, address: &StoreAddress) -> anyhow::Result<()> {
        self.file.link(label, address).map_err(|fault| Failure::explain(&fault, Some(fault.hint.clone())))?;
        Ok(())
    }

    /// Removes the link of `label`.
    ///
    /// # Errors
    ///
    /// As for [`RuntimeConfig::set`].
    pub(crate) fn remove(&mut self, label: &str) -> anyhow::Result<()> {
        self.file.unlink(label).map_err(|fault| Failure::explain(&fault, Some(fault.hint.clone())))?;
        Ok(())
    }

    /// Writes the file, in one step.
    ///
    /// # Errors
    ///
    /// The file cannot be written; it is as it was.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let path = self.path();
        durable::replace(path, self.file.text().as_bytes())
            .with_context(|| format!("cannot write {}; the links are as they were", path.display()))
    }
}

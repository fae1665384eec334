//! Answered sentences on their way to an output, on disk: their number does not matter for memory.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};

use anyhow::Context as _;

use super::asking::Answered;

/// A temporary file of answered sentences, which nobody else sees.
#[derive(Debug)]
pub(super) struct Spool {
    file: BufWriter<File>,
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// No temporary file can be made.
    pub(super) fn new() -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("cannot make a temporary file")?;
        Ok(Self { file: BufWriter::new(file) })
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// The disk is full.
    pub(super) fn add(&mut self, answered: &Answered) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.file, answered)?;
        self.file.write_all(b"\n").context("cannot write a temporary file")
    }

    /// Reads all, from the first on, as often as one likes.
    ///
    /// # Errors
    ///
    /// The file cannot be read; so is an item.
    pub(super) fn read(&mut self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Answered>> + use<>> {
        self.file.flush().context("cannot write a temporary file")?;
        let mut file = self.file.get_ref().try_clone()?;
        file.rewind()?;
        Ok(BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}

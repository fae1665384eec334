//! A disk that can be full: a small file system where it may be mounted, which needs root; elsewhere a limit on the size of the files that
//! the runtime writes, which it meets as a failed write as well.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The size of the mounted file system.
const SIZE: &str = "size=512m";

/// Where the stores are.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
    is_mounted: bool,
}

impl Disk {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder.path());
        // Whoever may not mount is told so there; here it shows in what the run says.
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        Ok(Self { folder, is_mounted })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How it is full.
    pub(crate) fn means(&self) -> &'static str {
        if self.is_mounted {
            "a file system of 512 MiB"
        } else {
            "a limit on the size of files (RLIMIT_FSIZE)"
        }
    }

    /// Makes it full for the process.
    pub(crate) fn fill(&self, process: u32) -> anyhow::Result<()> {
        if self.is_mounted { self.keep_full() } else { limit_files(process, "1") }
    }

    /// Takes the room that has become free since it was full.
    pub(crate) fn keep_full(&self) -> anyhow::Result<()> {
        if self.is_mounted {
            let mut file = File::options().create(true).append(true).open(self.filler())?;
            // In ever smaller pieces, until not a byte is left.
            for piece in [1 << 20, 4096, 1] {
                while file.write_all(&vec![0; piece]).is_ok() {}
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub(crate) fn free(&self, process: u32) -> anyhow::Result<()> {
        if self.is_mounted {
            return std::fs::remove_file(self.filler()).context("the disk cannot be freed");
        }
        limit_files(process, "unlimited")
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: what still uses it is on its way out.
            let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        }
    }
}

/// Sets the soft limit alone: the hard one cannot be raised again.
fn limit_files(process: u32, bytes: &str) -> anyhow::Result<()> {
    let mut limit = Command::new("prlimit");
    limit.arg("--pid").arg(process.to_string()).arg(format!("--fsize={bytes}:"));
    anyhow::ensure!(limit.status()?.success(), "the limit on the size of files cannot be set");
    Ok(())
}

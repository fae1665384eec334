//! Files that are never seen half written, and the lock between two runs of this program.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces the file at `path`, in one step, by one with this content and the same permissions. A link is followed.
///
/// # Errors
///
/// The folder cannot be written; the file is as it was.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    let mut file = temporary(folder, Readers::All)?;
    file.write_all(content)?;
    if let Ok(metadata) = fs::metadata(path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    crash_point("replace:written");
    file.persist(path)?;
    sync_folder(folder)
}

/// Replaces the file at `path`, or makes it, in one step, by what `write` writes. A link is followed.
///
/// # Errors
///
/// Those of `write`, and the folder cannot be written; the file is as it was.
pub(crate) fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut out = io::BufWriter::new(temporary(folder_of(path), Readers::All)?);
    write(&mut out)?;
    out.into_inner()?.persist(path)?;
    Ok(())
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone: it may hold a password.
    Owner,
    /// Whoever the system lets read new files.
    All,
}

/// Makes the file at `path`, in one step, with what `write` puts there.
///
/// # Errors
///
/// There is a file already (`AlreadyExists`), or the folder cannot be written; nothing was changed.
pub(crate) fn create(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let file = temporary(folder, readers)?.into_temp_path();
    write(&file)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(sync_folder(folder)?)
}

/// Makes what happened in a folder (a new name, a removed one) last.
///
/// # Errors
///
/// The folder cannot be opened or synchronised.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Keeps other runs of this program from changing the same links and stores until it is dropped, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be made or locked.
    pub(crate) fn acquire(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder_of(path))?;
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

/// Dies here, as if killed, if `AB_CRASH_AT` names this point: tests look at what is left. Nothing in release builds.
pub(crate) fn crash_point(name: &str) {
    if cfg!(debug_assertions) && std::env::var_os("AB_CRASH_AT").is_some_and(|point| point == name) {
        std::process::abort();
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(folder: &Path, readers: Readers) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ab-");
    #[cfg(unix)]
    if readers == Readers::All {
        use std::os::unix::fs::PermissionsExt as _;
        // As for any new file, the system takes away what its mask says.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

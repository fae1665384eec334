//! Files that are never seen half written, and the lock between two runs of this program.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use stores::crash_point;

/// Replaces the file at `path`, in one step, by one with this content and the same permissions. A link is followed.
///
/// # Errors
///
/// The folder cannot be written; the file is as it was.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    // The content may hold a password or a token: nobody else reads it before the file has its permissions.
    let mut file = temporary(folder, 0o600)?;
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
    let folder = folder_of(path);
    let mut out = io::BufWriter::new(temporary(folder, 0o666)?);
    write(&mut out)?;
    let file = out.into_inner()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(sync_folder(folder)?)
}

/// Makes what happened in a folder (a new name, a removed one) last.
///
/// # Errors
///
/// The folder cannot be opened or synchronised.
fn sync_folder(folder: &Path) -> io::Result<()> {
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

    /// Waits until no other run of this program, of whatever app, links the store in the file at `path`.
    ///
    /// # Errors
    ///
    /// The folder cannot be opened or locked.
    pub(crate) fn of_store(path: &Path) -> io::Result<Self> {
        let folder = folder_of(path);
        // The folder itself, as closing the store's file would let go of SQLite's own locks. Elsewhere a folder cannot be opened.
        if !cfg!(unix) {
            return Self::acquire(&folder.join(".ab.lock"));
        }
        let file = File::open(folder)?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file with these permissions, of which, as for any new file, the system takes away what its mask says.
fn temporary(folder: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ab-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder)
}

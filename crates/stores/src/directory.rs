//! The named stores of an app: `.spin/stores/NAME.db`, an `SQLite` file, or `.spin/stores/NAME.redis`, the URL of a Redis
//! database.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use spin_app::{CloudStore, StoreAddress, absolute, is_redis};

use crate::{Exclusive, Labels, StoreError, StoreName};

/// The folder of an app's named stores. Whoever changes it keeps others from changing it meanwhile.
#[derive(Debug)]
pub struct Directory {
    app: PathBuf,
    folder: PathBuf,
}

impl Directory {
    /// The stores of the app in this folder.
    pub fn of(app: &Path) -> Self {
        Self { app: app.to_owned(), folder: app.join(".spin").join("stores") }
    }

    /// Where the store of this name is, or would be: a Redis database if that was said when it was made.
    ///
    /// # Errors
    ///
    /// The file of a Redis store cannot be read.
    pub fn address(&self, name: &StoreName) -> Result<StoreAddress, StoreError> {
        let redis = self.redis_file(name);
        match fs::read_to_string(&redis) {
            Ok(url) => Ok(StoreAddress::Redis(url.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(StoreAddress::Sqlite(absolute(&self.sqlite_file(name))))
            }
            Err(error) => Err(failed("read", &redis, &error)),
        }
    }

    /// What a person means by `store`: a name, a path to an `SQLite` file, a URL of Redis, or the address of a cloud's store.
    ///
    /// # Errors
    ///
    /// It is none of them.
    pub fn resolve(&self, store: &str) -> Result<StoreAddress, StoreError> {
        if is_redis(store) {
            return Ok(StoreAddress::Redis(store.to_owned()));
        }
        if let Some(cloud) = CloudStore::parse(store) {
            return Ok(StoreAddress::Cloud(cloud?));
        }
        match StoreName::parse(store) {
            Ok(name) => self.address(&name),
            Err(_) if looks_like_a_path(store) => Ok(StoreAddress::Sqlite(absolute(Path::new(store)))),
            Err(error) => Err(error),
        }
    }

    /// How a person would name the store: by its name, its path or its URL without the password.
    ///
    /// # Errors
    ///
    /// The folder of stores cannot be read.
    pub fn shown(&self, address: &StoreAddress) -> Result<String, StoreError> {
        if let Some((name, _)) = self.names()?.into_iter().find(|(_, named)| named.leads_to(address)) {
            return Ok(name.to_string());
        }
        let StoreAddress::Sqlite(path) = address else { return Ok(address.to_string()) };
        // A link may name a store whose file does not exist yet.
        if let Some(name) = self.name_of_file(path) {
            return Ok(name.to_string());
        }
        let below = path.strip_prefix(&self.app).ok().filter(|below| !below.as_os_str().is_empty());
        Ok(below.unwrap_or(path).display().to_string())
    }

    /// All named stores.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn names(&self) -> Result<BTreeMap<StoreName, StoreAddress>, StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let mut names = BTreeMap::new();
        for entry in entries.map_err(|error| failed("read", &self.folder, &error))? {
            let path = entry.path();
            let store = matches!(path.extension().and_then(|it| it.to_str()), Some("db" | "redis"));
            let name = path.file_stem().and_then(|stem| StoreName::parse(stem.to_str()?).ok());
            if let Some(name) = name.filter(|_| store) {
                let address = self.address(&name)?;
                names.insert(name, address);
            }
        }
        Ok(names)
    }

    /// Makes an empty `SQLite` store, or gives a Redis database a name.
    ///
    /// # Errors
    ///
    /// The name is taken, also by a store that differs in case only; or the folder cannot be written.
    pub fn create(&self, name: &StoreName, redis: Option<&str>) -> Result<(), StoreError> {
        let taken = |other: &&StoreName| other.as_str().eq_ignore_ascii_case(name.as_str());
        if let Some(other) = self.names()?.keys().find(taken) {
            return Err(StoreError::Exists { name: other.to_string() });
        }
        let Some(url) = redis else { return Labels::open(&self.sqlite_file(name)).map(drop) };
        let path = self.redis_file(name);
        let write = || {
            fs::create_dir_all(&self.folder)?;
            // Only its owner may read a temporary file: the URL may hold a password.
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            writeln!(file, "{url}")?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|error: io::Error| failed("create", &path, &error))
    }

    /// Removes what makes `name` a store: its `SQLite` file, which the caller must have for itself, or the name of a Redis
    /// database.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn remove(&self, name: &StoreName) -> Result<(), StoreError> {
        let path = self.file(name)?;
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))
    }

    /// Gives a store another name. Links to it are for the caller to change, who can do so as well if this was done and
    /// then the process was killed.
    ///
    /// # Errors
    ///
    /// Another process has the store open; the new name is taken, also by a store that differs in case only; or the
    /// folder cannot be written. Everything is as it was.
    pub fn rename(&self, from: &StoreName, to: &StoreName) -> Result<(), StoreError> {
        let taken = |other: &&StoreName| {
            other.as_str().eq_ignore_ascii_case(to.as_str()) && (*other != from || from == to)
        };
        if let Some(other) = self.names()?.keys().find(taken) {
            return Err(StoreError::Exists { name: other.to_string() });
        }
        let (address, old) = (self.address(from)?, self.file(from)?);
        let (_exclusive, new) = match &address {
            StoreAddress::Sqlite(path) => (Some(Exclusive::take(path)?), self.sqlite_file(to)),
            _ => (None, self.redis_file(to)),
        };
        fs::rename(&old, new).map_err(|error| failed("rename", &old, &error))
    }

    /// The file that makes `name` a store.
    fn file(&self, name: &StoreName) -> Result<PathBuf, StoreError> {
        Ok(match self.address(name)? {
            StoreAddress::Sqlite(path) => path,
            _ => self.redis_file(name),
        })
    }

    fn name_of_file(&self, path: &Path) -> Option<StoreName> {
        let named =
            path.extension()? == "db" && absolute(&self.folder.join(path.file_name()?)) == absolute(path);
        named.then(|| StoreName::parse(path.file_stem()?.to_str()?).ok()).flatten()
    }

    fn sqlite_file(&self, name: &StoreName) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }

    fn redis_file(&self, name: &StoreName) -> PathBuf {
        self.folder.join(format!("{name}.redis"))
    }
}

fn failed(action: &'static str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Folder { action, path: path.display().to_string(), reason: error.to_string() }
}

fn looks_like_a_path(store: &str) -> bool {
    let extension = Path::new(store).extension().and_then(|extension| extension.to_str());
    store.contains(['/', '\\']) || matches!(extension, Some("db" | "sqlite" | "sqlite3"))
}

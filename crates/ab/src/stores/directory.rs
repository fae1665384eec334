//! The named stores of an app: `.spin/stores/NAME.db`, an `SQLite` file, or `.spin/stores/NAME.redis`, the URL of a Redis
//! database.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::{StoreAddress, absolute, is_redis};

use super::{SqliteStore, StoreName};
use crate::terminal::failure;
use crate::workspace::durable::{self, Readers, crash_point};
use crate::workspace::{Link, RuntimeConfig};

/// The folder of an app's named stores.
#[derive(Debug)]
pub(crate) struct Directory {
    app: PathBuf,
    folder: PathBuf,
}

impl Directory {
    /// The stores of the app in this folder.
    pub(crate) fn of(app: &Path) -> Self {
        Self { app: app.to_owned(), folder: app.join(".spin").join("stores") }
    }

    /// The file to lock while links or stores change.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.app.join(".spin").join("ab.lock")
    }

    /// Where the store of this name is, or would be: a Redis database if that was said when it was made.
    ///
    /// # Errors
    ///
    /// The file of a Redis store cannot be read.
    pub(crate) fn address(&self, name: &StoreName) -> anyhow::Result<StoreAddress> {
        let redis = self.redis_file(name);
        match fs::read_to_string(&redis) {
            Ok(url) => Ok(StoreAddress::Redis(url.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(StoreAddress::Sqlite(absolute(&self.sqlite_file(name))))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", redis.display())),
        }
    }

    /// What a person means by `store`: a name, a path to an `SQLite` file, or a URL of Redis.
    ///
    /// # Errors
    ///
    /// It is none of them.
    pub(crate) fn resolve(&self, store: &str) -> anyhow::Result<StoreAddress> {
        if is_redis(store) {
            return Ok(StoreAddress::Redis(store.to_owned()));
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
    pub(crate) fn shown(&self, address: &StoreAddress, links: &[Link]) -> anyhow::Result<String> {
        let named = self.names(links)?.into_iter().find(|(_, candidate)| candidate.leads_to(address));
        Ok(match (named, address) {
            (Some((name, _)), _) => name.to_string(),
            (None, StoreAddress::Sqlite(path)) => self.name_of_file(path).map_or_else(
                || {
                    let below = path.strip_prefix(&self.app).ok();
                    below.filter(|below| !below.as_os_str().is_empty()).unwrap_or(path).display().to_string()
                },
                |name| name.to_string(),
            ),
            (None, StoreAddress::Redis(_) | StoreAddress::Elsewhere(_)) => address.to_string(),
        })
    }

    /// All named stores. A file in the middle of being renamed has the name that the links use.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub(crate) fn names(&self, links: &[Link]) -> anyhow::Result<BTreeMap<StoreName, StoreAddress>> {
        let mut names = BTreeMap::new();
        let mut hidden = Vec::new();
        for entry in self.entries()? {
            let path = absolute(&entry);
            let Some(name) = entry.file_stem().and_then(|stem| StoreName::parse(stem.to_str()?).ok()) else {
                continue;
            };
            if let Some(target) = self.renamed_from(&path) {
                let linked = links.iter().any(|link| link.address == StoreAddress::Sqlite(path.clone()));
                hidden.push(if linked { target } else { path.clone() });
            }
            match entry.extension().and_then(|extension| extension.to_str()) {
                Some("db") => names.insert(name, StoreAddress::Sqlite(path)),
                Some("redis") => names.insert(name.clone(), self.address(&name)?),
                _ => continue,
            };
        }
        names.retain(|_, address| !hidden.iter().any(|path| StoreAddress::Sqlite(path.clone()) == *address));
        Ok(names)
    }

    /// Makes an `SQLite` store, or gives a Redis database a name.
    ///
    /// # Errors
    ///
    /// The name is taken, also by a store that differs in case only; or the folder cannot be written.
    pub(crate) fn create(&self, name: &StoreName, redis: Option<&str>, links: &[Link]) -> anyhow::Result<()> {
        let taken = |other: &&StoreName| other.as_str().eq_ignore_ascii_case(name.as_str());
        if let Some(other) = self.names(links)?.keys().find(taken) {
            return Err(failure(format!("Key value store \"{other}\" already exists")).into());
        }
        match redis {
            None => durable::create(&self.sqlite_file(name), Readers::All, SqliteStore::initialise),
            Some(url) => {
                let write = |path: &Path| Ok(fs::write(path, format!("{url}\n"))?);
                durable::create(&self.redis_file(name), Readers::Owner, write)
            }
        }
        .with_context(|| format!("cannot create key value store \"{name}\""))
    }

    /// Removes the file of the store at `address`, whose owner must have it for itself.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub(crate) fn remove(&self, name: &StoreName, address: &StoreAddress) -> anyhow::Result<()> {
        let path = match address {
            StoreAddress::Sqlite(path) => path.clone(),
            StoreAddress::Redis(_) | StoreAddress::Elsewhere(_) => self.redis_file(name),
        };
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        Ok(durable::sync_folder(&self.folder)?)
    }

    /// Gives the store another name, and the links to it with it. At no moment does a link lead to a missing file: the new
    /// name first is a symbolic link to the file, then the links take it, then the file takes it.
    ///
    /// The caller holds the `SQLite` file for itself, so that no write-ahead log stays behind under the old name.
    ///
    /// # Errors
    ///
    /// The folder or the links cannot be written; everything is as it was.
    pub(crate) fn rename(
        &self,
        from: &StoreName,
        to: &StoreName,
        config: &mut RuntimeConfig,
    ) -> anyhow::Result<()> {
        let StoreAddress::Sqlite(old) = self.address(from)? else {
            fs::rename(self.redis_file(from), self.redis_file(to)).context("cannot rename the store")?;
            return Ok(durable::sync_folder(&self.folder)?);
        };
        let new = absolute(&self.sqlite_file(to));
        let old_address = StoreAddress::Sqlite(old.clone());
        let links: Vec<Link> =
            config.links()?.into_iter().filter(|link| link.address.leads_to(&old_address)).collect();
        if !links.is_empty() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(old.file_name().unwrap_or_default(), &new)
                .context("cannot rename the store")?;
            crash_point("rename:linked");
            for link in links {
                config.set(&link.label, &StoreAddress::Sqlite(new.clone()))?;
            }
            if let Err(error) = config.save() {
                let _ = fs::remove_file(&new);
                return Err(error);
            }
            crash_point("rename:saved");
        }
        fs::rename(&old, &new).context("cannot rename the store")?;
        Ok(durable::sync_folder(&self.folder)?)
    }

    /// Completes or takes back renames that were killed half-way. One that a running app keeps from completing waits for
    /// the next time: links and names are right already.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or written.
    pub(crate) fn settle(&self, links: &[Link]) -> anyhow::Result<()> {
        for entry in self.entries()? {
            let path = absolute(&entry);
            let Some(target) = self.renamed_from(&path) else { continue };
            if !links.iter().any(|link| link.address == StoreAddress::Sqlite(path.clone())) {
                fs::remove_file(&path)?;
            } else if let Ok(_guard) = SqliteStore::open(&target, "").and_then(SqliteStore::into_exclusive) {
                fs::rename(&target, &path)?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> anyhow::Result<Vec<PathBuf>> {
        match fs::read_dir(&self.folder) {
            Ok(entries) => Ok(entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.folder.display())),
        }
    }

    /// The file that the symbolic link at `path` leads to, if [`Directory::rename`] made it.
    fn renamed_from(&self, path: &Path) -> Option<PathBuf> {
        let target = fs::read_link(path).ok()?;
        let is_a_bare_name = target.file_name() == Some(target.as_os_str());
        is_a_bare_name.then(|| absolute(&self.folder.join(target)))
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

fn looks_like_a_path(store: &str) -> bool {
    let extension = Path::new(store).extension().and_then(|extension| extension.to_str());
    store.contains(['/', '\\']) || matches!(extension, Some("db" | "sqlite" | "sqlite3"))
}

//! Where a store is.

use std::fmt;
use std::fs;
use std::path::{self, Component, Path, PathBuf};

use url::Url;

use crate::cloud_store::CloudStore;
use crate::password::without_password;

/// Where a store is. Shown without passwords.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// An `SQLite` file in Spin's format, by its absolute path. The file need not exist yet.
    Sqlite(PathBuf),
    /// A Redis database, by its URL, perhaps with a password in it.
    Redis(String),
    /// A store of a cloud, which only Spin reaches.
    Cloud(CloudStore),
    /// Another kind of store that only Spin can reach, by the name of the kind.
    Elsewhere(String),
}

impl StoreAddress {
    /// Whether both lead to one store, however each is spelled.
    pub fn leads_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => absolute(one) == absolute(other),
            (Self::Redis(one), Self::Redis(other)) => database(one) == database(other),
            (Self::Cloud(one), Self::Cloud(other)) => one.leads_to(other),
            _ => false,
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Redis(url) => f.write_str(&without_password(url)),
            Self::Cloud(store) => store.fmt(f),
            Self::Elsewhere(kind) => f.write_str(kind),
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Redis(_) => "Redis",
            Self::Cloud(_) => "Cloud",
            Self::Elsewhere(_) => "Elsewhere",
        };
        write!(f, "{kind}({self})")
    }
}

/// Whether `text` is the URL of a Redis database.
pub fn is_redis(text: &str) -> bool {
    ["redis://", "rediss://", "redis+unix://", "unix://"].iter().any(|scheme| text.starts_with(scheme))
}

/// The server and the number of the database of a Redis URL; where it names none, the whole URL.
fn database(url: &str) -> (String, String) {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss"));
    match parsed.as_ref().and_then(|parsed| Some((parsed.host_str()?, parsed))) {
        Some((host, parsed)) => {
            let number = parsed.path().trim_matches('/');
            let number = if number.is_empty() { "0" } else { number };
            (format!("{host}:{}", parsed.port().unwrap_or(6379)), number.to_owned())
        }
        None => (url.to_owned(), String::new()),
    }
}

/// The absolute path, with its folder's symbolic links resolved, so that two names of one place become one. The file
/// itself may be a link, and need not exist.
pub fn absolute(path: &Path) -> PathBuf {
    let path = without_dots(&path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    match (path.parent().and_then(|folder| fs::canonicalize(folder).ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://localhost:6379/1", "redis://localhost:6379/1"),
            ("redis://:secret@localhost/1", "redis://:***@localhost/1"),
            ("redis://me:se:cret@localhost", "redis://me:***@localhost"),
            ("redis://me:p%40ss@h/0?protocol=resp3", "redis://me:***@h/0?protocol=resp3"),
            ("redis+unix:///run/redis.sock?db=2&pass=secret", "redis+unix:///run/redis.sock?db=2&pass=***"),
            ("unix:///run/redis.sock?p%61ss=secret", "unix:///run/redis.sock?pass=***"),
            ("unix:///run/redis.sock?pass=secret&db=2", "unix:///run/redis.sock?pass=***&db=2"),
            ("redis://:secret@ho st/", "(not a URL)"),
        ] {
            let address = StoreAddress::Redis(url.to_owned());
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), format!("Redis({shown})"));
        }
    }

    #[test]
    fn one_store_under_two_spellings() {
        let redis = |url: &str| StoreAddress::Redis(url.to_owned());
        let sqlite = |path: &str| StoreAddress::Sqlite(path.into());
        assert!(redis("redis://localhost:6379/0").leads_to(&redis("redis://localhost")));
        assert!(redis("redis://:x@localhost:6379/2").leads_to(&redis("redis://localhost/2")));
        assert!(!redis("redis://localhost/1").leads_to(&redis("redis://localhost/2")));
        assert!(!redis("redis://localhost:1/1").leads_to(&redis("redis://localhost/1")));
        assert!(redis("unix:///run/redis.sock?db=1").leads_to(&redis("unix:///run/redis.sock?db=1")));
        assert!(!redis("unix:///run/redis.sock?db=1").leads_to(&redis("unix:///run/redis.sock?db=2")));
        assert!(sqlite("/nowhere/a/../b.db").leads_to(&sqlite("/nowhere/./b.db")));
        assert!(!sqlite("/nowhere/a.db").leads_to(&sqlite("/nowhere/b.db")));
        assert!(!sqlite("/nowhere/a.db").leads_to(&redis("redis://localhost")));
    }

    #[test]
    fn fuzz() {
        let seeds = ["redis://user:secret@127.0.0.1:6379/1", "redis+unix:///run/r.sock?db=1&pass=secret"];
        fuzz::text(&seeds, |url| {
            let shown = without_password(url);
            assert_eq!(without_password(&shown), shown, "what is shown has none");
            let _ = StoreAddress::Redis(url.to_owned()).leads_to(&StoreAddress::Redis(seeds[0].to_owned()));
        });
    }
}

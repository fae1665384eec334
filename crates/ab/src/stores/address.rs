//! Where a store is.

use std::fs;
use std::path::{self, Component, Path, PathBuf};

use redis::IntoConnectionInfo as _;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An `SQLite` file, by its absolute path.
    Sqlite(PathBuf),
    /// A Redis database, by its URL.
    Redis(String),
    /// A kind of store that only Spin can reach, by the name of the kind.
    Elsewhere(String),
}

impl Address {
    /// Whether both lead to one store.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => absolute(one) == absolute(other),
            (Self::Redis(one), Self::Redis(other)) => match (database(one), database(other)) {
                (Some(one), Some(other)) => one == other,
                _ => one == other,
            },
            _ => false,
        }
    }
}

/// `text` is a URL of Redis.
pub(crate) fn is_redis(text: &str) -> bool {
    ["redis://", "rediss://", "redis+unix://", "unix://"].iter().any(|scheme| text.starts_with(scheme))
}

/// The URL without its password.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    let Some(at) = rest[..authority].rfind('@') else { return url.to_owned() };
    let user = rest[..at].split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***{}", &rest[at..])
}

fn database(url: &str) -> Option<(String, i64)> {
    let info = url.into_connection_info().ok()?;
    Some((info.addr().to_string(), info.redis_settings().db()))
}

/// The absolute path, its folder without links: two names of one place become one. The file itself may be a link, and
/// need not exist.
pub(crate) fn absolute(path: &Path) -> PathBuf {
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
        let cases = [
            ("redis://localhost:6379/1", "redis://localhost:6379/1"),
            ("redis://:secret@localhost/1", "redis://:***@localhost/1"),
            ("redis://me:se:cret@localhost", "redis://me:***@localhost"),
            ("redis://me:p%40ss@h/0?protocol=resp3", "redis://me:***@h/0?protocol=resp3"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn one_store_under_two_spellings() {
        let redis = |url: &str| Address::Redis(url.to_owned());
        let sqlite = |path: &str| Address::Sqlite(path.into());
        assert!(redis("redis://localhost:6379/0").leads_to(&redis("redis://localhost")));
        assert!(redis("redis://:x@localhost:6379/2").leads_to(&redis("redis://localhost/2")));
        assert!(!redis("redis://localhost/1").leads_to(&redis("redis://localhost/2")));
        assert!(sqlite("/nowhere/a/../b.db").leads_to(&sqlite("/nowhere/./b.db")));
        assert!(!sqlite("/nowhere/a.db").leads_to(&sqlite("/nowhere/b.db")));
    }
}

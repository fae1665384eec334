//! Redis databases: plain keys, one database per store, no labels.

use std::time::Duration;

use redis::{Commands as _, Connection, ErrorKind, RedisError};
use spin_app::without_password;

use super::{Entries, Entry};
use crate::terminal::{Failure, failure};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many values are asked for at once.
const PAGE: usize = 500;

/// An open database.
pub(crate) struct RedisStore {
    connection: Connection,
    url: String,
    left_out: usize,
}

impl RedisStore {
    /// Connects to the database at `url` and makes sure that it answers.
    ///
    /// # Errors
    ///
    /// It does not, or refuses us.
    pub(crate) fn open(url: &str) -> anyhow::Result<Self> {
        let open = || {
            let mut connection = redis::Client::open(url)?.get_connection_with_timeout(PATIENCE)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_write_timeout(Some(PATIENCE))?;
            // Connecting alone does not tell whether commands are allowed.
            let _: bool = connection.exists("")?;
            Ok(connection)
        };
        let connection = open().map_err(|error: RedisError| explain(url, &error))?;
        Ok(Self { connection, url: url.to_owned(), left_out: 0 })
    }

    /// How many keys there are, of any kind.
    ///
    /// # Errors
    ///
    /// The server fails.
    pub(crate) fn count(&mut self) -> anyhow::Result<usize> {
        Ok(redis::cmd("DBSIZE").query(&mut self.connection).map_err(|error| explain(&self.url, &error))?)
    }

    /// Removes every key.
    ///
    /// # Errors
    ///
    /// The server fails.
    pub(crate) fn clear(&mut self) -> anyhow::Result<()> {
        Ok(redis::cmd("FLUSHDB").exec(&mut self.connection).map_err(|error| explain(&self.url, &error))?)
    }

    /// A cursor may show a key twice; sorting brings both together.
    fn all_keys(&mut self) -> anyhow::Result<Vec<String>> {
        let explain = |error| explain(&self.url, &error);
        let mut raw: Vec<Vec<u8>> = self
            .connection
            .scan::<Vec<u8>>()
            .map_err(explain)?
            .collect::<Result<_, _>>()
            .map_err(|error| super::redis::explain(&self.url, &error))?;
        raw.sort_unstable();
        raw.dedup();
        let found = raw.len();
        let keys: Vec<String> = raw.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect();
        self.left_out = found - keys.len();
        Ok(keys)
    }
}

impl Entries for RedisStore {
    fn get(&mut self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.connection.get(key).map_err(|error| explain(&self.url, &error))?)
    }

    fn set(&mut self, entries: &[Entry]) -> anyhow::Result<()> {
        let mut transaction = redis::pipe();
        transaction.atomic();
        for (key, value) in entries {
            transaction.set(key, value).ignore();
        }
        Ok(transaction.exec(&mut self.connection).map_err(|error| explain(&self.url, &error))?)
    }

    fn for_each(&mut self, visit: &mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        for page in self.all_keys()?.chunks(PAGE) {
            let values: Vec<Option<Vec<u8>>> =
                self.connection.mget(page).map_err(|error| explain(&self.url, &error))?;
            for (key, value) in page.iter().zip(values) {
                match value {
                    Some(value) => visit(key, &value)?,
                    None => self.left_out += 1,
                }
            }
        }
        Ok(())
    }

    fn keys(&mut self) -> anyhow::Result<Vec<String>> {
        self.all_keys()
    }

    fn left_out(&self) -> usize {
        self.left_out
    }
}

fn explain(url: &str, error: &RedisError) -> Failure {
    let shown = without_password(url);
    let detail = error.to_string();
    let refused = matches!(error.kind(), ErrorKind::AuthenticationFailed)
        || ["NOAUTH", "WRONGPASS", "NOPERM", "Authentication required"]
            .iter()
            .any(|code| error.code() == Some(code) || detail.contains(code));
    if refused {
        return failure(format!("Redis at {shown} asks for a password, or for another one"))
            .hint("put it into the URL: redis://:PASSWORD@HOST:PORT/DATABASE; nothing was changed");
    }
    if error.is_io_error() || error.is_timeout() {
        return failure(format!("Redis at {shown} does not answer: {detail}"))
            .hint("start it, or check the address; nothing was changed");
    }
    match error.kind() {
        ErrorKind::InvalidClientConfig => {
            failure(format!("{shown} is not a URL of Redis")).hint("it looks like redis://HOST:PORT/DATABASE")
        }
        _ => failure(format!("Redis at {shown}: {detail}")),
    }
}

//! A store in a Redis database.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, RedisError, cmd};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Cursor, Position, StoreError};
use crate::per_runtime::PerRuntime;

/// How long an operation may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sets a value if it is still the one expected.
const SWAP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2])
    return 1
end
return 0";

/// A Redis database: every key in it, whatever the label.
///
/// Each runtime has a connection of its own (see [`PerRuntime`]), over which its requests go side by side. The crate's
/// `ConnectionManager` is not used, for it keeps a failed login or a server that is still loading as its answer for
/// ever; here the next operation connects anew.
pub struct RedisStore {
    client: Client,
    place: String,
    connections: PerRuntime<Arc<Mutex<Line>>>,
}

/// One runtime's connection.
#[derive(Default)]
struct Line {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections made, so that of many operations which notice a loss only the first acts on it.
    number: u64,
}

/// What to do with a command that a lost connection left unanswered: it may or may not have been carried out.
#[derive(Clone, Copy, PartialEq)]
enum Unanswered {
    /// Carrying it out twice is as good as once: ask again.
    Repeat,
    Fail,
}

impl RedisStore {
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| {
            // Without the kind of the error, which is a word of the crate's.
            let reason = error.to_string();
            StoreError::Url { reason: reason.split(" - ").next().unwrap_or(&reason).to_owned() }
        })?;
        let info = client.get_connection_info();
        let database = info.redis_settings().db();
        let place = match info.addr() {
            ConnectionAddr::Unix(path) => format!("redis+unix://{}?db={database}", path.display()),
            ConnectionAddr::Tcp(host, port) if host.contains(':') => {
                format!("redis://[{host}]:{port}/{database}")
            }
            address => format!("redis://{address}/{database}"),
        };
        Ok(Self { client, place, connections: PerRuntime::default() })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(cmd("GET").arg(key), Unanswered::Repeat).await
    }

    pub(super) async fn get_many(
        &self,
        keys: &[String],
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Vec<u8>>> = self.ask(cmd("MGET").arg(keys), Unanswered::Repeat).await?;
        Ok(keys.iter().cloned().zip(values).collect())
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.ask(cmd("EXISTS").arg(key), Unanswered::Repeat).await
    }

    pub(super) async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.ask(cmd("MSET").arg(entries), Unanswered::Repeat).await
    }

    pub(super) async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.ask(cmd("DEL").arg(keys), Unanswered::Repeat).await
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let sum = self.ask(cmd("INCRBY").arg(key).arg(delta), Unanswered::Fail).await;
        sum.map_err(|error| match error {
            StoreError::Redis { reason, .. } if reason.contains("overflow") => {
                StoreError::Overflow { key: key.to_owned() }
            }
            StoreError::Redis { reason, .. }
                if reason.contains("integer") || reason.contains("WRONGTYPE") =>
            {
                StoreError::NotACounter { key: key.to_owned() }
            }
            error => error,
        })
    }

    pub(super) async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Vec<u8>,
    ) -> Result<bool, StoreError> {
        if let Some(expected) = expected {
            let swap = cmd("EVAL").arg(SWAP).arg(1).arg(key).arg(expected).arg(new).take();
            self.ask(&swap, Unanswered::Fail).await
        } else {
            let set: Option<String> =
                self.ask(cmd("SET").arg(key).arg(new).arg("NX"), Unanswered::Fail).await?;
            Ok(set.is_some())
        }
    }

    pub(super) async fn keys_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        let mut position = match cursor {
            Some(Cursor(Position::Scan(position))) => position,
            Some(Cursor(Position::After(_))) | None => 0,
        };
        loop {
            let scan = cmd("SCAN").arg(position).arg("COUNT").arg(limit.max(1)).take();
            let (next, keys): (u64, Vec<Vec<u8>>) = self.ask(&scan, Unanswered::Repeat).await?;
            let keys: Vec<_> = keys.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect();
            // Redis may answer with an empty page in the middle of a listing.
            if next == 0 || !keys.is_empty() {
                return Ok((keys, (next != 0).then_some(Cursor(Position::Scan(next)))));
            }
            position = next;
        }
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd, unanswered: Unanswered) -> Result<T, StoreError> {
        let Ok(line) = self.connections.get(|| Ok::<_, std::convert::Infallible>(Arc::default()));
        let mut used = 0;
        let attempt = self.attempt(&line, &mut used, command, unanswered);
        let Ok(answer) = timeout(PATIENCE, attempt).await else {
            // The server may be gone without a word: the next operation connects anew.
            forget(&line, used);
            return Err(StoreError::TimedOut { place: self.place.clone(), waited: PATIENCE.as_secs() });
        };
        answer.map_err(|error| self.explain(&error))
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        line: &Mutex<Line>,
        used: &mut u64,
        command: &Cmd,
        unanswered: Unanswered,
    ) -> Result<T, RedisError> {
        loop {
            let (mut connection, number, fresh) = self.connect(line).await?;
            *used = number;
            match command.query_async(&mut connection).await {
                Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                    forget(line, number);
                    // A connection that was idle may have been closed long ago, which shows only now.
                    if fresh || unanswered == Unanswered::Fail {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }

    /// The runtime's connection, its number, and whether it was made just now.
    async fn connect(&self, line: &Mutex<Line>) -> Result<(MultiplexedConnection, u64, bool), RedisError> {
        let mut line = line.lock().await;
        if let Some(connection) = &line.connection {
            return Ok((connection.clone(), line.number, false));
        }
        // The time limit is this module's own.
        let unlimited = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&unlimited).await?;
        line.number += 1;
        line.connection = Some(connection.clone());
        Ok((connection, line.number, true))
    }

    fn explain(&self, error: &RedisError) -> StoreError {
        let (place, reason) = (self.place.clone(), error.to_string());
        match error.code() {
            Some("NOAUTH") => StoreError::PasswordWanted { place },
            // The same, said by the crate when it chooses the database.
            _ if reason.contains("Authentication required") => StoreError::PasswordWanted { place },
            Some("WRONGPASS") => StoreError::PasswordRefused { place, reason },
            _ if error.kind() == ErrorKind::AuthenticationFailed => {
                StoreError::PasswordRefused { place, reason }
            }
            _ if error.is_io_error() => StoreError::Unreachable { place, reason },
            _ => StoreError::Redis { place, reason },
        }
    }
}

/// Gives connection `number` up. If the line is locked, somebody is connecting anew already.
fn forget(line: &Mutex<Line>, number: u64) {
    if let Ok(mut line) = line.try_lock()
        && line.number == number
    {
        line.connection = None;
    }
}

/// Without the client, whose URL may hold a password.
impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("place", &self.place).finish_non_exhaustive()
    }
}

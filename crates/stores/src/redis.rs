//! A store in a Redis database.

mod sorted_keys;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError, cmd};
use spin_app::StoreAddress;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::sorted_keys::SortedKeys;
use crate::entries::Position;
use crate::{Cursor, Entry, PerRuntime, StoreError};

/// How long an operation may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many keys or values are asked for at once where all are wanted.
const PAGE: u32 = 500;

/// Sets a value if it is still the one expected.
const SWAP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2])
    return 1
end
return 0";

/// Sets the values whose keys have none.
const SET_MISSING: &str = "for index, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[index], 'NX')
end";

/// A Redis database: every key in it, whatever the label.
///
/// Each runtime has a connection of its own (see [`PerRuntime`]), over which its requests go side by side. The crate's
/// `ConnectionManager` is not used, for it keeps a failed login or a server that is still loading as its answer for
/// ever; here the next operation reconnects.
pub struct RedisStore {
    client: Client,
    place: String,
    connections: PerRuntime<Arc<Shared>>,
}

/// What one runtime's operations have in common.
#[derive(Default)]
struct Shared {
    connection: Mutex<Connection>,
    /// Whether the last operation got no answer in time. Until one does, they ask one at a time: the others fail at once, rather than
    /// keep their clients waiting.
    is_silent: AtomicBool,
}

/// One runtime's connection, made when it is first needed.
#[derive(Default)]
struct Connection {
    open: Option<MultiplexedConnection>,
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
        let place = StoreAddress::Redis(url.to_owned()).to_string();
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

    pub(super) async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.ask(cmd("MSET").arg(entries), Unanswered::Repeat).await
    }

    pub(super) async fn set_missing(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let (keys, values): (Vec<String>, Vec<Vec<u8>>) = entries.into_iter().unzip();
        let set = cmd("EVAL").arg(SET_MISSING).arg(keys.len()).arg(keys).arg(values).take();
        self.ask(&set, Unanswered::Repeat).await
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
            let (next, keys) = self.scan(position, limit.max(1)).await?;
            let keys: Vec<_> = keys.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect();
            // Redis may answer with an empty page in the middle of a listing.
            if next == 0 || !keys.is_empty() {
                return Ok((keys, (next != 0).then_some(Cursor(Position::Scan(next)))));
            }
            position = next;
        }
    }

    pub(super) async fn entries_page(
        &self,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Option<Cursor>), StoreError> {
        let (keys, next) = self.keys_page(cursor, limit).await?;
        let entries = self.get_many(&keys).await?;
        Ok((entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(), next))
    }

    pub(super) async fn keys(&self) -> Result<(Vec<String>, usize), StoreError> {
        let mut sorted = self.sorted_keys().await?;
        let mut keys = Vec::new();
        while let Some(page) = sorted.page(PAGE)? {
            keys.extend(page);
        }
        Ok((keys, sorted.left_out))
    }

    pub(super) async fn for_each<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut sorted = self.sorted_keys().await?;
        let mut left_out = 0;
        while let Some(page) = sorted.page(PAGE)? {
            for (key, value) in self.get_many(&page).await? {
                match value {
                    Some(value) => visit(&key, &value)?,
                    None => left_out += 1,
                }
            }
        }
        Ok(left_out + sorted.left_out)
    }

    async fn sorted_keys(&self) -> Result<SortedKeys, StoreError> {
        let keys = SortedKeys::new()?;
        let mut position = 0;
        loop {
            let (next, page) = self.scan(position, PAGE as usize).await?;
            keys.add(&page)?;
            if next == 0 {
                keys.sort()?;
                return Ok(keys);
            }
            position = next;
        }
    }

    pub(super) async fn count(&self) -> Result<u64, StoreError> {
        self.ask(&cmd("DBSIZE"), Unanswered::Repeat).await
    }

    pub(super) async fn clear(&self) -> Result<(), StoreError> {
        self.ask(&cmd("FLUSHDB"), Unanswered::Repeat).await
    }

    /// About `limit` keys from `position` on, and where the next begin (0: there are none).
    async fn scan(&self, position: u64, limit: usize) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        self.ask(cmd("SCAN").arg(position).arg("COUNT").arg(limit), Unanswered::Repeat).await
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd, unanswered: Unanswered) -> Result<T, StoreError> {
        let Ok(shared) = self.connections.get(|| Ok::<_, std::convert::Infallible>(Arc::default()));
        let timed_out = || StoreError::TimedOut { place: self.place.clone(), waited: PATIENCE.as_secs() };
        // Whoever asks a silent server has the lock, as it reconnects.
        if shared.is_silent.load(Ordering::Relaxed) && shared.connection.try_lock().is_err() {
            return Err(timed_out());
        }
        let mut used = 0;
        let attempt = self.attempt(&shared.connection, &mut used, command, unanswered);
        let Ok(answer) = timeout(PATIENCE, attempt).await else {
            // The server may be gone without a word: the next operation reconnects.
            forget(&shared.connection, used);
            shared.is_silent.store(true, Ordering::Relaxed);
            return Err(timed_out());
        };
        shared.is_silent.store(false, Ordering::Relaxed);
        answer.map_err(|error| self.explain(&error))
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        connection: &Mutex<Connection>,
        used: &mut u64,
        command: &Cmd,
        unanswered: Unanswered,
    ) -> Result<T, RedisError> {
        loop {
            let (mut open, number, fresh) = self.connect(connection).await?;
            *used = number;
            match command.query_async(&mut open).await {
                Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                    forget(connection, number);
                    // A connection that was idle may have been closed long ago, which shows only now.
                    if fresh || unanswered == Unanswered::Fail {
                        return Err(error);
                    }
                }
                // The server refused, so nothing was carried out. One that was demoted to a replica, or has not loaded its data, is
                // behind this connection for as long as it is kept; a new one may lead to the server that has taken over.
                Err(error) if !fresh && is_not_the_primary(&error) => forget(connection, number),
                answer => return answer,
            }
        }
    }

    /// The runtime's connection, its number, and whether it was made just now.
    async fn connect(
        &self,
        connection: &Mutex<Connection>,
    ) -> Result<(MultiplexedConnection, u64, bool), RedisError> {
        let mut connection = connection.lock().await;
        if let Some(open) = &connection.open {
            return Ok((open.clone(), connection.number, false));
        }
        // The time limit is this module's own.
        let unlimited = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let open = self.client.get_multiplexed_async_connection_with_config(&unlimited).await?;
        connection.number += 1;
        connection.open = Some(open.clone());
        Ok((open, connection.number, true))
    }

    fn explain(&self, error: &RedisError) -> StoreError {
        let (place, reason) = (self.place.clone(), error.to_string());
        match error.code() {
            Some("NOAUTH") => StoreError::PasswordRequired { place },
            // The same, said by the crate when it chooses the database.
            _ if reason.contains("Authentication required") => StoreError::PasswordRequired { place },
            Some("WRONGPASS") => StoreError::PasswordRejected { place },
            _ if error.kind() == ErrorKind::AuthenticationFailed => StoreError::PasswordRejected { place },
            _ if error.is_io_error() => StoreError::Unreachable { place, reason },
            _ => StoreError::Redis { place, reason },
        }
    }
}

/// Whether the server does not take commands, but another at the same address may.
fn is_not_the_primary(error: &RedisError) -> bool {
    use redis::ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    matches!(error.kind(), ErrorKind::Server(ReadOnly | BusyLoading | MasterDown))
}

/// Gives connection `number` up. If it is locked, somebody is already reconnecting.
fn forget(connection: &Mutex<Connection>, number: u64) {
    if let Ok(mut connection) = connection.try_lock()
        && connection.number == number
    {
        connection.open = None;
    }
}

/// Without the client, whose URL may hold a password.
impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("place", &self.place).finish_non_exhaustive()
    }
}

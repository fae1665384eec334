//! Answers that are kept, so that nothing is asked twice.
//!
//! The file is an SQLite table of one row for each answer. A file of lines would have to be read to the end at every
//! start and its index kept in memory; here a look-up costs some microseconds and no memory, however large the file, two
//! evaluations may use it at once, and a process killed at any moment leaves no torn row. What came in within the last
//! few milliseconds is committed together.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use experiment::Fingerprint;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};
use sentiment::Outcome;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::Model;
use crate::terminal::failure;

/// Tells these files from other SQLite files.
const APPLICATION: i32 = 0x6162_6576;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS answer (key BLOB PRIMARY KEY, outcome TEXT NOT NULL, \
     completion TEXT NOT NULL, elapsed_ms INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, \
     generated_tokens INTEGER NOT NULL) WITHOUT ROWID";

/// How long an answer may wait to be committed together with others.
pub(super) const COMMIT_EVERY: Duration = Duration::from_millis(5);

/// How long another evaluation may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a completion is kept, in characters from its end: some servers repeat the prompt before it.
const KEPT: usize = 200;

/// What a model made of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Classification {
    pub(super) outcome: Outcome,
    /// The end of the completion.
    pub(super) completion: String,
    pub(super) elapsed_ms: u64,
    pub(super) prompt_tokens: u32,
    pub(super) generated_tokens: u32,
    /// Whether it was there before it was asked for.
    pub(super) cached: bool,
}

/// The end of a completion, as it is kept.
pub(super) fn kept(completion: &str) -> String {
    let start = completion.char_indices().rev().nth(KEPT - 1).map_or(0, |(index, _)| index);
    completion[start..].to_owned()
}

/// What an answer is the answer to: all that the model was given, and which of several repetitions it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// The key of a sentence put to `model` with a prompt for the nth time. The server's address is part of it: another
    /// server may have another model under the same name.
    pub(super) fn new(model: &Model, prompt: Fingerprint, sentence: &str, repetition: u32) -> Self {
        let mut hash = Sha256::new();
        let Model { name, url, api, temperature, max_tokens, .. } = model;
        // Each part with its length before it, so that no two lists of parts are alike.
        let numbers = format!("{temperature} {max_tokens} {repetition}");
        for part in ["1", name, url, api, &numbers, prompt.as_str(), sentence] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Cache {
    connection: Connection,
    path: PathBuf,
    uncommitted: bool,
    committed_at: Instant,
}

impl Cache {
    /// Opens the file at `path`, which is made if need be.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or is something else.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let open = || -> rusqlite::Result<Option<Connection>> {
            let connection = Connection::open(path)?;
            connection.busy_timeout(PATIENCE)?;
            let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
            let tables: i64 =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            if application != APPLICATION && tables > 0 {
                return Ok(None);
            }
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.execute(SCHEMA, [])?;
            Ok(Some(connection))
        };
        let other = || {
            failure(format!("{} is not an answer cache, and was left unchanged", path.display()))
                .hint("name another file with --cache, or use --no-cache")
        };
        match open() {
            Ok(Some(connection)) => {
                let path = path.to_owned();
                Ok(Self { connection, path, uncommitted: false, committed_at: Instant::now() })
            }
            Ok(None) => Err(other().into()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Err(other().into()),
            Err(error) => Err(explain(path, error)),
        }
    }

    /// The answer, if it is there.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn get(&self, key: Key) -> anyhow::Result<Option<Classification>> {
        let get = || {
            let mut select = self.connection.prepare_cached(
                "SELECT outcome, completion, elapsed_ms, prompt_tokens, generated_tokens FROM answer WHERE key = ?1",
            )?;
            select
                .query_row([key.0.as_slice()], |row| {
                    Ok(row.get_ref(0)?.as_str()?.parse().ok().map(|outcome| Classification {
                        outcome,
                        completion: row.get(1).unwrap_or_default(),
                        elapsed_ms: row.get::<_, i64>(2).unwrap_or_default().unsigned_abs(),
                        prompt_tokens: row.get(3).unwrap_or_default(),
                        generated_tokens: row.get(4).unwrap_or_default(),
                        cached: true,
                    }))
                })
                .optional()
        };
        Ok(get().map_err(|error| explain(&self.path, error))?.flatten())
    }

    /// Keeps an answer; it is safe with the next [`Cache::commit`], which comes by itself where the last one is some
    /// milliseconds ago.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn put(&mut self, key: Key, answer: &Classification) -> anyhow::Result<()> {
        let mut put = || {
            if !self.uncommitted {
                self.connection.execute_batch("BEGIN IMMEDIATE")?;
                self.uncommitted = true;
            }
            let mut insert = self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO answer VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            insert.execute(params![
                key.0.as_slice(),
                answer.outcome.as_str(),
                answer.completion,
                i64::try_from(answer.elapsed_ms).unwrap_or(i64::MAX),
                answer.prompt_tokens,
                answer.generated_tokens,
            ])
        };
        put().map_err(|error| explain(&self.path, error))?;
        if self.committed_at.elapsed() >= COMMIT_EVERY { self.commit() } else { Ok(()) }
    }

    /// Makes what was put safe.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn commit(&mut self) -> anyhow::Result<()> {
        if self.uncommitted {
            self.connection.execute_batch("COMMIT").map_err(|error| explain(&self.path, error))?;
            self.uncommitted = false;
            self.committed_at = Instant::now();
        }
        Ok(())
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn explain(path: &Path, error: rusqlite::Error) -> anyhow::Error {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => failure(format!("the answer cache {shown} is damaged"))
            .hint("remove it, or name another file with --cache")
            .into(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
            failure(format!("the answer cache {shown} cannot be written: {error}"))
                .hint("name another file with --cache, or use --no-cache")
                .into()
        }
        _ => anyhow::Error::new(error).context(format!("the answer cache {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(completion: &str) -> Classification {
        Classification {
            outcome: Outcome::Positive,
            completion: completion.to_owned(),
            elapsed_ms: 7,
            prompt_tokens: 96,
            generated_tokens: 1,
            cached: true,
        }
    }

    #[test]
    fn answers_outlive_the_process_that_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/answers.db");
        let [one, two, three] = [1, 2, 3].map(|byte| Key([byte; 32]));
        let mut cache = Cache::open(&path).unwrap();
        assert_eq!(cache.get(one).unwrap(), None);
        cache.put(one, &answer("\"positive\"\n")).unwrap();
        cache.commit().unwrap();
        cache.put(two, &answer("second")).unwrap();
        assert_eq!(cache.get(two).unwrap().unwrap().completion, "second", "seen before it is committed");
        cache.committed_at = Instant::now();
        cache.put(three, &answer("third")).unwrap();
        // As a killed process does: nothing is closed, nothing committed.
        std::mem::forget(cache);
        let copy = folder.path().join("copy.db");
        for suffix in ["", "-wal"] {
            let of = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
            fs::copy(of(&path), of(&copy)).unwrap();
        }
        let cache = Cache::open(&copy).unwrap();
        assert_eq!(cache.get(one).unwrap(), Some(answer("\"positive\"\n")));
        assert_eq!(cache.get(three).unwrap(), None);
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        fs::write(&text, "x".repeat(2_000)).unwrap();
        let database = folder.path().join("other.db");
        Connection::open(&database).unwrap().execute("CREATE TABLE t (x)", []).unwrap();
        for path in [text, database] {
            let before = fs::read(&path).unwrap();
            let error = Cache::open(&path).unwrap_err().to_string();
            assert!(error.contains("is not an answer cache"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        let error = Cache::open(Path::new("/proc/answers.db")).unwrap_err();
        assert!(error.to_string().contains("/proc/answers.db"), "{error:#}");
    }

    #[test]
    fn the_end_of_a_completion_is_kept() {
        assert_eq!(kept(" positive"), " positive");
        let long = format!("{}é", "x".repeat(500));
        assert_eq!((kept(&long).chars().count(), kept(&long).ends_with("xé")), (KEPT, true));
    }
}

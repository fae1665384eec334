//! The native server: axum and rusqlite, with the two reads of an answer from the store.

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use experiment::{Key, PROMPT_KEY, Prompt, Record};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use sentiment::{DEFAULT_PROMPT, Outcome};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Question {
    sentence: String,
}

#[derive(Serialize)]
struct Answer {
    sentiment: Outcome,
    variant: &'static str,
    cached: bool,
}

/// Serves the store at `path` and never returns unless it fails. Prints its address as the app does.
pub(crate) fn serve(listener: TcpListener, path: &Path) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        eprintln!("Serving http://{}", listener.local_addr()?);
        let app = Router::new()
            .route("/api/sentiment-analysis", post(answer))
            .with_state(Arc::new(path.to_owned()));
        axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))), app)
            .await?;
        Ok(())
    })
}

async fn answer(
    State(path): State<Arc<PathBuf>>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, StatusCode> {
    let key = Key::for_sentence(&question.sentence);
    let (prompt, record) = read(&path, key.as_str()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let prompt = Prompt::from_store(prompt, DEFAULT_PROMPT);
    let record = record.and_then(|value| Record::<Outcome>::from_json(&value));
    match record.filter(|record| record.answers(prompt.fingerprint(), "llama2-chat")) {
        Some(record) => Ok(Json(Answer { sentiment: record.answer, variant: "promptstore1", cached: true })),
        None => Err(StatusCode::NOT_FOUND),
    }
}

thread_local! {
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

type Found = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The prompt and the record, over a connection of this thread's own.
fn read(path: &Path, key: &str) -> rusqlite::Result<Found> {
    CONNECTION.with_borrow_mut(|slot| {
        let connection = match slot {
            Some(connection) => connection,
            None => slot.insert(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?),
        };
        let mut get = connection
            .prepare_cached("SELECT value FROM spin_key_value WHERE store = 'promptstore1' AND key = ?1")?;
        let prompt = get.query_row([PROMPT_KEY], |row| row.get(0)).optional()?;
        let record = get.query_row([key], |row| row.get(0)).optional()?;
        Ok((prompt, record))
    })
}

//! Clients that ask, vote and annotate, and what they saw.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use e2e::app::{CREDENTIALS, FIRST, SENTIMENT};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// Longer than any part of the app waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was acknowledged of a sentence.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) variant: String,
    pub(crate) voted: bool,
    pub(crate) annotated: bool,
}

/// What all clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answered: usize,
    /// 503 or 429 with `retry-after`: try again.
    pub(crate) later: usize,
    /// Any other failure, by what it was.
    pub(crate) failed: BTreeMap<String, usize>,
    /// Answers that the prompt of their variant does not give.
    pub(crate) wrong: usize,
    /// The longest time that an answer took.
    pub(crate) slowest: Duration,
    /// From the first request that was not answered to the last.
    pub(crate) first_unanswered: Option<Instant>,
    pub(crate) last_unanswered: Option<Instant>,
    pub(crate) sentences: BTreeMap<String, Noted>,
}

impl Seen {
    /// How long not every request was answered.
    pub(crate) fn disturbed(&self) -> Duration {
        let times = self.first_unanswered.zip(self.last_unanswered);
        times.map_or(Duration::ZERO, |(first, last)| last - first)
    }
}

/// A client: a new sentence, the same again, and of every second one a vote and an annotation; until `stop`.
pub(crate) async fn run(app: String, name: String, stop: Arc<AtomicBool>, seen: Arc<Mutex<Seen>>) {
    let Ok(client) = Client::builder().no_proxy().timeout(PATIENCE).build() else { return };
    let caller = Caller { app, client, seen };
    for number in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let sentence = format!("{name} {number}");
        let mut note = None;
        for _ in 0..2 {
            let Some(answer) = caller.post(SENTIMENT, json!({ "sentence": sentence })).await else {
                continue;
            };
            let (variant, sentiment) = (text(&answer, "variant"), text(&answer, "sentiment"));
            if sentiment != if variant == FIRST { "positive" } else { "negative" } {
                caller.seen().wrong += 1;
            }
            note = Some(Noted { variant, voted: false, annotated: false });
        }
        let Some(mut note) = note else { continue };
        caller.note(&sentence, &note);
        if number % 2 == 0 {
            let vote = json!({ "sentence": sentence, "variant": note.variant, "expected": "neutral" });
            note.voted = caller.post("/api/feedback", vote).await.is_some();
            let annotation = json!({ "sentence": sentence, "expected": "neutral" });
            note.annotated = caller.post("/api/annotations", annotation).await.is_some();
            caller.note(&sentence, &note);
        }
    }
}

struct Caller {
    app: String,
    client: Client,
    seen: Arc<Mutex<Seen>>,
}

impl Caller {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, sentence: &str, note: &Noted) {
        self.seen().sentences.insert(sentence.to_owned(), note.clone());
    }

    /// What is answered; `None` if the request failed, which is counted.
    async fn post(&self, path: &str, body: Value) -> Option<Value> {
        let started = Instant::now();
        let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
        let request = self.client.post(format!("{}{path}", self.app)).basic_auth(user, Some(password));
        let failure = match request.json(&body).send().await {
            Ok(response) if response.status() == StatusCode::OK => match response.json().await {
                Ok(answer) => {
                    let mut seen = self.seen();
                    seen.answered += 1;
                    seen.slowest = seen.slowest.max(started.elapsed());
                    return Some(answer);
                }
                Err(_) => "cut off".to_owned(),
            },
            Ok(response) if response.headers().contains_key("retry-after") => String::new(),
            Ok(response) => response.status().as_u16().to_string(),
            Err(error) if error.is_timeout() => "no answer".to_owned(),
            Err(_) => "connection lost".to_owned(),
        };
        {
            let mut seen = self.seen();
            let now = Instant::now();
            seen.first_unanswered.get_or_insert(now);
            seen.last_unanswered = Some(now);
            if failure.is_empty() {
                seen.later += 1;
            } else {
                *seen.failed.entry(failure).or_default() += 1;
            }
        }
        // As a client that heeds `retry-after`, in a shorter time than it asks for.
        tokio::time::sleep(Duration::from_millis(100)).await;
        None
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}

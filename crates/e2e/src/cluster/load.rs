//! Clients that ask, vote, annotate and look at the results, and what they saw.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{CREDENTIALS, FIRST, SENTIMENT};

/// How many clients there are. Each sends one request after another.
pub const CLIENTS: usize = 8;

/// What every client annotates a sentence as, and votes for.
pub const EXPECTED: &str = "neutral";

/// Longer than any part of the embedded runtime waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was acknowledged of a sentence, and when.
#[derive(Clone, Debug, Default)]
pub struct Noted {
    /// The answers: by the variant, what it said.
    pub answers: BTreeMap<String, (String, Instant)>,
    /// A vote on the answer of this variant.
    pub vote: Option<(String, Instant)>,
    /// An annotation.
    pub annotation: Option<Instant>,
}

/// What all clients saw.
#[derive(Debug)]
pub struct Seen {
    /// How many requests were answered with 200.
    pub answered: usize,
    /// 503 or 429 with `retry-after`: try again.
    pub later: usize,
    /// Any other failure, by what it was.
    pub failed: BTreeMap<String, usize>,
    /// Answers that the prompt of their variant does not give.
    pub wrong: usize,
    /// The longest time that an answer took.
    pub slowest: Duration,
    /// The longest time in which no client got any answer.
    pub longest_silence: Duration,
    /// From the first request that was not answered to the last.
    pub disturbed: Duration,
    /// By the sentence.
    pub sentences: BTreeMap<String, Noted>,
    last_answer: Instant,
    first_unanswered: Option<Instant>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            answered: 0,
            later: 0,
            failed: BTreeMap::new(),
            wrong: 0,
            slowest: Duration::ZERO,
            longest_silence: Duration::ZERO,
            disturbed: Duration::ZERO,
            sentences: BTreeMap::new(),
            last_answer: Instant::now(),
            first_unanswered: None,
        }
    }
}

impl Seen {
    /// How many answers and votes were acknowledged in that time; an answer counts twice, for the other variant gives one in the shadow.
    pub fn noted(&self, time: Range<Instant>) -> u64 {
        let times = self.sentences.values().flat_map(|noted| {
            let answers = noted.answers.values().map(|(_, at)| *at);
            answers.flat_map(|at| [at; 2]).chain(noted.vote.iter().map(|(_, at)| *at))
        });
        times.filter(|at| time.contains(at)).count() as u64
    }

    fn answer(&mut self, asked: Instant) {
        self.answered += 1;
        self.slowest = self.slowest.max(asked.elapsed());
        self.longest_silence = self.longest_silence.max(self.last_answer.elapsed());
        self.last_answer = Instant::now();
    }

    fn failure(&mut self, what: Option<String>) {
        let first = *self.first_unanswered.get_or_insert_with(Instant::now);
        self.disturbed = first.elapsed();
        match what {
            Some(what) => *self.failed.entry(what).or_default() += 1,
            None => self.later += 1,
        }
    }
}

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    clients: JoinHandle<()>,
}

impl Load {
    /// Starts clients of the app at `url`, whose sentences begin with `name`.
    pub fn start(url: &str, name: &str) -> Self {
        let (stop, seen) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Seen>>::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clients = (0..CLIENTS).map(|number| Caller {
            app: url.to_owned(),
            name: format!("{name} {number}"),
            client: Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            seen: Arc::clone(&seen),
            stop: Arc::clone(&stop),
        });
        let clients: Vec<_> = clients.collect();
        let clients = thread::spawn(move || {
            runtime.block_on(join_all(clients.iter().map(Caller::run)));
        });
        Self { stop, seen, clients }
    }

    /// How many requests were answered so far.
    pub fn answered(&self) -> usize {
        lock(&self.seen).answered
    }

    /// Lets every client end what it has begun, and says what they saw.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join().unwrap();
        let mut seen = std::mem::take(&mut *lock(&self.seen));
        seen.longest_silence = seen.longest_silence.max(seen.last_answer.elapsed());
        seen
    }
}

struct Caller {
    app: String,
    name: String,
    client: Client,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
}

impl Caller {
    /// A new sentence, the same again, of every second one a vote and an annotation, of every eighth the pages of those who look at
    /// the experiment; until it is to stop.
    async fn run(&self) {
        for number in 0_u32.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let sentence = format!("{} {number}", self.name);
            let mut answered = self.ask(&sentence).await;
            if let Some(again) = self.ask(&sentence).await {
                answered = Some(again);
            }
            if number % 2 == 0
                && let Some(variant) = answered
            {
                self.vote(&sentence, variant).await;
                self.annotate(&sentence).await;
            }
            if number % 8 == 0 {
                self.call(Method::GET, "/api/results", None).await;
                let queue = self.call(Method::GET, "/api/annotations/next?n=10", None).await;
                let waiting = queue.as_ref().and_then(|queue| queue["queue"][0]["sentence"].as_str());
                if let Some(sentence) = waiting {
                    self.annotate(sentence).await;
                }
            }
        }
    }

    /// The variant that answered.
    async fn ask(&self, sentence: &str) -> Option<String> {
        let answer = self.call(Method::POST, SENTIMENT, Some(json!({ "sentence": sentence }))).await?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let (variant, sentiment) = (text("variant"), text("sentiment"));
        let mut seen = lock(&self.seen);
        seen.wrong += usize::from(sentiment != if variant == FIRST { "positive" } else { "negative" });
        let noted = seen.sentences.entry(sentence.to_owned()).or_default();
        noted.answers.insert(variant.clone(), (sentiment, Instant::now()));
        Some(variant)
    }

    async fn vote(&self, sentence: &str, variant: String) {
        let vote = json!({ "sentence": sentence, "variant": variant, "expected": EXPECTED });
        if self.call(Method::POST, "/api/feedback", Some(vote)).await.is_some() {
            let mut seen = lock(&self.seen);
            seen.sentences.entry(sentence.to_owned()).or_default().vote = Some((variant, Instant::now()));
        }
    }

    async fn annotate(&self, sentence: &str) {
        let annotation = json!({ "sentence": sentence, "expected": EXPECTED });
        if self.call(Method::POST, "/api/annotations", Some(annotation)).await.is_some() {
            let mut seen = lock(&self.seen);
            seen.sentences.entry(sentence.to_owned()).or_default().annotation = Some(Instant::now());
        }
    }

    /// What is answered; `None` if the request failed, which is counted.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let asked = Instant::now();
        let (user, password) = CREDENTIALS.split_once(':').unwrap();
        let request = self.client.request(method, format!("{}{path}", self.app));
        let request = request.basic_auth(user, Some(password));
        let request = body.iter().fold(request, reqwest::RequestBuilder::json);
        let failure = match request.send().await {
            Ok(response) if response.status() == StatusCode::OK => match response.json().await {
                Ok(answer) => {
                    lock(&self.seen).answer(asked);
                    return Some(answer);
                }
                Err(_) => Some("cut off".to_owned()),
            },
            Ok(response) if response.headers().contains_key("retry-after") => None,
            Ok(response) => Some(response.status().as_u16().to_string()),
            Err(error) if error.is_timeout() => Some("no answer".to_owned()),
            Err(_) => Some("connection lost".to_owned()),
        };
        lock(&self.seen).failure(failure);
        // As a client that heeds `retry-after`, in a shorter time than it asks for.
        tokio::time::sleep(Duration::from_millis(100)).await;
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

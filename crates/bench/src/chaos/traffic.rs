//! The ordinary clients: sentences old and new, votes, annotations, results and the explorer, at a given rate.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use e2e::app::{CREDENTIALS, FIRST, SECOND, SENTIMENT};
use e2e::explorer::ROUTE;
use fuzz::random::Random;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::ledger::{Ledger, Noted, variant};

/// Clients at the same time.
pub(crate) const CLIENTS: usize = 16;

/// How long one of them waits.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client annotates no more often: people do it.
const ANNOTATING: Duration = Duration::from_secs(5);

/// Words of sentences, and what the model says to them.
pub(crate) const RIGHT: [(&str, &str); 3] =
    [("sunny", "positive"), ("rainy", "negative"), ("cloudy", "neutral")];

/// What the clients share.
pub(crate) struct Traffic {
    pub(crate) ledger: Ledger,
    /// Where the app is; it moves when it is started again.
    address: RwLock<String>,
    /// How long a client waits from one request to the next, in microseconds; 0 is not at all.
    pub(crate) pace: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) ends: AtomicBool,
}

impl Traffic {
    pub(crate) fn new(address: String) -> Arc<Self> {
        Arc::new(Self {
            ledger: Ledger::default(),
            address: RwLock::new(address),
            pace: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        })
    }

    pub(crate) fn address(&self) -> String {
        self.address.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn moves_to(&self, address: String) {
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
    }
}

/// One client, until the traffic ends.
pub(crate) async fn client(traffic: Arc<Traffic>, number: usize, seed: u64) -> anyhow::Result<()> {
    let http = Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let random = Random::new(seed.wrapping_add(number as u64));
    let mut client =
        Person { traffic, http, random, number, sentences: Vec::new(), annotated: Instant::now() };
    let mut next = Instant::now();
    while !client.traffic.ends.load(Ordering::Relaxed) {
        client.act().await;
        client.traffic.requests.fetch_add(1, Ordering::Relaxed);
        next += Duration::from_micros(client.traffic.pace.load(Ordering::Relaxed));
        let now = Instant::now();
        // What could not be sent in time is not made up for.
        next = next.max(now);
        tokio::time::sleep(next - now).await;
    }
    Ok(())
}

struct Person {
    traffic: Arc<Traffic>,
    http: Client,
    random: Random,
    number: usize,
    /// Sentences that were answered.
    sentences: Vec<String>,
    annotated: Instant,
}

impl Person {
    async fn act(&mut self) {
        let old = self.random.one(&self.sentences).cloned();
        match (self.random.below(100), old) {
            (0..20, _) | (_, None) => self.ask_new().await,
            (20..30, Some(sentence)) => self.vote(&sentence).await,
            (30..36, _) => drop(self.get("results", "/api/results").await),
            (36..44, _) => {
                let label = if self.random.below(2) == 0 { FIRST } else { SECOND };
                drop(
                    self.get("explorer", &format!("{ROUTE}/api/stores/{label}?limit=20&sorted=false")).await,
                );
            }
            (44..50, _) => drop(self.get("page", "/").await),
            (50..54, Some(sentence)) if self.annotated.elapsed() > ANNOTATING => {
                self.annotated = Instant::now();
                self.annotate(&sentence).await;
            }
            (_, Some(sentence)) => {
                let right = self.traffic.ledger.noted().get(&sentence).map(|noted| noted.right);
                self.ask("old sentence", &sentence, right.unwrap_or_default()).await;
            }
        }
    }

    async fn ask_new(&mut self) {
        let Some((word, right)) = self.random.one(&RIGHT) else { return };
        let sentence = format!("A {word} day, says {} for the {}th time", self.number, self.sentences.len());
        // One whose answer was not seen may be asked for again: its number is the same.
        if self.ask("new sentence", &sentence, right).await {
            self.sentences.push(sentence);
        }
    }

    async fn ask(&mut self, kind: &'static str, sentence: &str, right: &'static str) -> bool {
        let ledger = &self.traffic.ledger;
        let (moment, asked) = (ledger.moment(), Instant::now());
        let Some(answer) =
            self.send(kind, Method::POST, SENTIMENT, Some(json!({ "sentence": sentence }))).await
        else {
            return false;
        };
        let Some(variant) = answer["variant"].as_str().and_then(variant) else { return false };
        let (sentiment, cached) =
            (answer["sentiment"].as_str().unwrap_or_default(), answer["cached"] == true);
        // Nonsense of the model's is `unsure`, which is never answered from the store.
        if sentiment != right && (cached || sentiment != "unsure") {
            ledger
                .wrong()
                .push(format!("{sentence:?} of {variant} was answered {sentiment}, cached: {cached}"));
        }
        if cached {
            ledger.cached().push(asked.elapsed());
        }
        let is_kept = cached || ledger.was_undisturbed(moment);
        let mut noted = ledger.noted();
        let noted = noted.entry(sentence.to_owned()).or_insert_with(|| Noted {
            right,
            answers: BTreeMap::new(),
            vote: None,
            annotation: None,
        });
        *noted.answers.entry(variant).or_default() |= is_kept;
        true
    }

    /// Once for each sentence.
    async fn vote(&mut self, sentence: &str) {
        let ledger = &self.traffic.ledger;
        let answered = ledger.noted().get(sentence).filter(|noted| noted.vote.is_none()).and_then(|noted| {
            noted.answers.iter().find(|(_, is_kept)| **is_kept).map(|(variant, _)| *variant)
        });
        let Some(variant) = answered else { return };
        let vote = if self.random.below(2) == 0 { "positive" } else { "negative" };
        let body = json!({ "sentence": sentence, "variant": variant, "expected": vote });
        let answer = self.send("vote", Method::POST, "/api/feedback", Some(body)).await;
        if let Some(noted) = self.traffic.ledger.noted().get_mut(sentence)
            && answer.is_some()
        {
            noted.vote = Some((variant, vote));
        }
    }

    async fn annotate(&mut self, sentence: &str) {
        let said = "neutral";
        let body = json!({ "sentence": sentence, "expected": said });
        let answer = self.send("annotation", Method::POST, "/api/annotations", Some(body)).await;
        if let Some(noted) = self.traffic.ledger.noted().get_mut(sentence)
            && answer.is_some()
        {
            noted.annotation = Some(said);
        }
    }

    async fn get(&self, kind: &'static str, path: &str) -> Option<Value> {
        self.send(kind, Method::GET, path, None).await
    }

    /// The answer to a request, if it is a success; its end is counted.
    async fn send(
        &self,
        kind: &'static str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<Value> {
        let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
        let url = format!("{}{path}", self.traffic.address());
        let mut request = self.http.request(method, url).basic_auth(user, Some(password));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let read = async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
        };
        match read.await {
            Ok((status, body)) => {
                self.traffic.ledger.count(kind, &status.as_u16());
                if !status.is_success() {
                    return None;
                }
                // A page is none.
                Some(serde_json::from_slice(&body).unwrap_or_default())
            }
            Err(error) => {
                let end = if error.is_timeout() { "no answer in 15 s" } else { "connection broken" };
                self.traffic.ledger.count(kind, end);
                if error.is_connect() {
                    // While the app is started again.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                None
            }
        }
    }
}

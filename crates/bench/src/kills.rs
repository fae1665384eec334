//! A runtime that is killed again and again under load: whether everything that it acknowledged is in the stores, and whole, and how
//! soon it answers again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use e2e::app::{App, FIRST, SECOND, SENTIMENT};
use e2e::model_server::ModelServer;
use reqwest::Client;
use serde_json::{Value, json};

const KILLS: u64 = 50;

/// Clients that each send one request after another.
const CLIENTS: usize = 16;

/// What was acknowledged: each sentence with its variant and, where one was given, what a person said would have been right.
type Acknowledged = Arc<Mutex<BTreeMap<String, (String, Option<&'static str>)>>>;

/// Measures and prints.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let model = ModelServer::start()?;
    model.answer_with("positive");
    let acknowledged = Acknowledged::default();
    let mut app = App::with(&model);
    let mut starts = Vec::new();
    for kill in 0..KILLS {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("Sentence {kill} {client}");
                runtime.spawn(client_of(app.url(""), name, acknowledged.clone()))
            })
            .collect();
        // At a different moment each time.
        std::thread::sleep(Duration::from_millis(100 + kill * 7919 % 200));
        app.process().signal("KILL");
        for client in clients {
            runtime.block_on(client)?;
        }
        let start = Instant::now();
        app = app.restart(|app| app);
        runtime.block_on(app.get("/api/variants"));
        starts.push(start.elapsed());
    }
    starts.sort_unstable();
    let kept = [FIRST, SECOND].map(|label| (label, app.rows(label)));
    let records: BTreeMap<(&str, &str), Option<Value>> = kept
        .iter()
        .flat_map(|(label, rows)| {
            rows.iter().map(|(key, value)| ((*label, key.as_str()), serde_json::from_slice(value).ok()))
        })
        .filter(|((_, key), _)| *key != "prompt")
        .collect();
    let torn = records.values().filter(|record| record.is_none()).count();
    let acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    let lost = acknowledged
        .iter()
        .filter(|(sentence, (variant, expected))| {
            let record = records.get(&(variant.as_str(), sentence.as_str())).and_then(Option::as_ref);
            record.is_none_or(|record| {
                record["sentiment"] != "positive"
                    || expected.is_some_and(|expected| record["expected"] != expected)
            })
        })
        .count();
    let corrected = acknowledged.values().filter(|(_, expected)| expected.is_some()).count();
    let at = |index: usize| starts.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3;
    writeln!(
        std::io::stdout(),
        "{KILLS} kills under the load of {CLIENTS} clients: {} answers and {corrected} corrections acknowledged, {lost} lost, {torn} torn. \
         From the start after a kill to the first answer: {:.0} ms (median), {:.0} ms (the longest).",
        acknowledged.len(),
        at(starts.len() / 2),
        at(starts.len().saturating_sub(1))
    )?;
    anyhow::ensure!(lost + torn == 0, "what was acknowledged is not there");
    Ok(())
}

/// Asks for new sentences, says of every other one that the answer was wrong, and reads cached answers in between, until the app is gone.
async fn client_of(app: String, name: String, acknowledged: Acknowledged) {
    let Ok(client) = Client::builder().no_proxy().build() else { return };
    let post = async |path: &str, body: Value| -> Option<Value> {
        let response = client.post(format!("{app}{path}")).json(&body).send().await.ok()?;
        if response.status() == 200 { response.json().await.ok() } else { None }
    };
    for number in 0_u32.. {
        let sentence = format!("{name} {number}");
        let Some(answer) = post(SENTIMENT, json!({ "sentence": sentence })).await else { return };
        let Some(variant) = answer["variant"].as_str() else { return };
        let note = |expected| {
            let mut acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            acknowledged.insert(sentence.clone(), (variant.to_owned(), expected));
        };
        note(None);
        if number % 2 == 0 {
            let body = json!({ "sentence": sentence, "variant": variant, "expected": "negative" });
            if post("/api/feedback", body).await.is_none() {
                return;
            }
            note(Some("negative"));
        }
    }
}

//! A runtime that is killed again and again under load: whether everything that it acknowledged is in the stores, and whole, and how
//! soon it answers again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::app::{App, CREDENTIALS, FIRST, JOURNAL, MODEL, SECOND, SENTIMENT};
use e2e::artifacts;
use e2e::model_server::ModelServer;
use e2e::redis_server::{DURABLE, RedisServer};
use e2e::runtime::is_spin;
use e2e::store::votes_on;
use experiment::journal::{Journal, Round};
use experiment::key_values::Memory;
use experiment::{Fingerprint, PROMPT_KEY, key};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const KILLS: u64 = 50;

/// Clients that each send one request after another.
const CLIENTS: usize = 16;

/// What was acknowledged of a sentence.
#[derive(Clone, Default)]
struct Noted {
    variant: String,
    /// What a visitor said would have been right.
    vote: Option<&'static str>,
    /// Whether somebody who signed in annotated it.
    annotated: bool,
}

type Acknowledged = Arc<Mutex<BTreeMap<String, Noted>>>;

/// Measures and prints, with stores in files and, where Redis is installed, in Redis.
pub(crate) fn run() -> anyhow::Result<()> {
    let model = ModelServer::start()?;
    model.answer_with("positive");
    // Of half of the sentences each has a shadow answer and is drawn.
    let builder = App::builder().model_server(&model).variable("shadow", "0.5");
    kill("SQLite", builder.clone().start())?;
    let Some(redis) = RedisServer::start(&DURABLE) else {
        eprintln!("Redis is not installed: only stores in files were measured.");
        return Ok(());
    };
    let labels = [FIRST, SECOND, JOURNAL].into_iter().zip(0..);
    let builder =
        labels.fold(builder, |builder, (label, database)| builder.redis(label, redis.url(database)));
    kill("Redis", builder.start())
}

fn kill(kind: &str, mut app: App) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let acknowledged = Acknowledged::default();
    for (label, prompt) in [(FIRST, "The first: {SENTENCE}"), (SECOND, "The second: {SENTENCE}")] {
        runtime.block_on(app.explorer().set(label, "prompt", prompt));
    }
    let mut starts = Vec::new();
    for kill in 0..KILLS {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("Sentence {kill} {client}");
                runtime.spawn(client_of(app.url(""), name, acknowledged.clone()))
            })
            .collect();
        // At a different moment each time. On Spin, which syncs the disk at every write, it takes longer until some are answered.
        let slowness = if is_spin() { 10 } else { 1 };
        std::thread::sleep(Duration::from_millis((100 + kill * 7919 % 200) * slowness));
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
    let kept = [FIRST, SECOND].map(|label| Ok((label, rows(&app, label)?)));
    let kept = kept.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let records: BTreeMap<(&str, &str), Option<Value>> = kept
        .iter()
        .flat_map(|(label, rows)| {
            rows.iter().map(|(key, value)| ((*label, key.as_str()), serde_json::from_slice(value).ok()))
        })
        .filter(|((_, key), _)| !key::is_reserved(key))
        .collect();
    let torn = records.values().filter(|record| record.is_none()).count();
    let annotations = annotated(Memory::from(rows(&app, JOURNAL)?), &kept)?;
    let counted = observations(&runtime, &app);
    ab(&app, &["recount"])?;
    // What was answered last is given again for a quarter of a second.
    std::thread::sleep(Duration::from_millis(500));
    let recounted = observations(&runtime, &app);
    let acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    let lost = acknowledged
        .iter()
        .filter(|(sentence, Noted { variant, vote, annotated })| {
            if *annotated && !annotations.contains(sentence.as_str()) {
                return true;
            }
            let record = records.get(&(variant.as_str(), sentence.as_str())).and_then(Option::as_ref);
            record.is_none_or(|record| {
                record["sentiment"] != "positive"
                    || vote.is_some_and(|vote| votes_on(record).iter().ne([vote]))
            })
        })
        .count();
    let votes = acknowledged.values().filter(|noted| noted.vote.is_some()).count();
    let annotated = acknowledged.values().filter(|noted| noted.annotated).count();
    let at = |index: usize| starts.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3;
    writeln!(
        std::io::stdout(),
        "{kind}: {KILLS} kills under the load of {CLIENTS} clients: {} answers, {votes} votes and {annotated} annotations acknowledged, {lost} lost, {torn} torn; \
         {} observations of {} not counted, {} after a recount. \
         From the start after a kill to the first answer: {:.0} ms (median), {:.0} ms (the longest).",
        acknowledged.len(),
        records.len().saturating_sub(counted),
        records.len(),
        records.len().saturating_sub(recounted),
        at(starts.len() / 2),
        at(starts.len().saturating_sub(1))
    )?;
    anyhow::ensure!(lost + torn == 0, "what was acknowledged is not there");
    anyhow::ensure!(recounted == records.len(), "a recount is not exact");
    Ok(())
}

/// What the command line writes, of the app with its stores.
fn ab(app: &App, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(artifacts::ab());
    command.args(arguments).arg("--from").arg(app.manifest_folder());
    let output = command.arg("--runtime-config-file").arg(app.runtime_config()).output()?;
    let messages = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`{}` failed: {messages}", arguments.join(" "));
    Ok(output.stdout)
}

/// All that the store of a label holds, of whatever kind it is.
fn rows(app: &App, label: &str) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let exported = String::from_utf8(ab(app, &["kv", "export", "--label", label])?)?;
    let row = |line: &str| {
        let Row { key, value } = serde_json::from_str(line)?;
        Ok((key, BASE64_STANDARD.decode(value)?))
    };
    exported.lines().map(row).collect()
}

/// A line of an export.
#[derive(Deserialize)]
struct Row {
    key: String,
    value: String,
}

/// The sentences that are annotated, found as the app finds them: by the numbers of their annotations.
fn annotated(
    journal: Memory,
    kept: &[(&str, BTreeMap<String, Vec<u8>>)],
) -> anyhow::Result<BTreeSet<String>> {
    let prompts = kept.iter().filter_map(|(_, rows)| str::from_utf8(rows.get(PROMPT_KEY)?).ok());
    let journal = Journal::new(journal);
    let evidence = journal.evidence(Round::new(prompts.map(Fingerprint::of), MODEL))?;
    let others = journal.others()?.into_iter().map(|annotation| annotation.draw.sentence);
    Ok(evidence.annotated().map(str::to_owned).chain(others).collect())
}

/// How many observations the results speak of.
fn observations(runtime: &Runtime, app: &App) -> usize {
    let report = runtime.block_on(app.get("/api/results")).json();
    let n = |variant: &Value| variant["n"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(0);
    report["variants"].as_array().map_or(0, |variants| variants.iter().map(n).sum())
}

/// Asks for new sentences, says about every other one that the answer was wrong, with a vote and an annotation, until the app is gone.
async fn client_of(app: String, name: String, acknowledged: Acknowledged) {
    let Ok(client) = Client::builder().no_proxy().build() else { return };
    let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
    let post = async |path: &str, body: Value| -> Option<Value> {
        let request = client.post(format!("{app}{path}")).basic_auth(user, Some(password));
        let response = request.json(&body).send().await.ok()?;
        if response.status() == 200 { response.json().await.ok() } else { None }
    };
    for number in 0_u32.. {
        let sentence = format!("{name} {number}");
        let Some(answer) = post(SENTIMENT, json!({ "sentence": sentence })).await else { return };
        let Some(variant) = answer["variant"].as_str() else { return };
        let note = |vote, annotated| {
            let mut acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            acknowledged.insert(sentence.clone(), Noted { variant: variant.to_owned(), vote, annotated });
        };
        note(None, false);
        if number % 2 == 0 {
            let body = json!({ "sentence": sentence, "variant": variant, "expected": "negative" });
            if post("/api/feedback", body).await.is_none() {
                return;
            }
            note(Some("negative"), false);
            let body = json!({ "sentence": sentence, "expected": "negative" });
            if post("/api/annotations", body).await.is_none() {
                return;
            }
            note(Some("negative"), true);
        }
    }
}

//! What the results cost, however many records there are: time, memory, and what an ordinary client notices of 64 others that ask for
//! them over and over.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::{App, FIRST, MODEL, SECOND};
use e2e::model_server::ModelServer;
use e2e::usage::{forget_peak, peak};
use experiment::analysis::Observation;
use experiment::tally::Sums;
use experiment::{Fingerprint, Key, Record};
use sentiment::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::{self, SENTENCE};

/// Records in each store.
const RECORDS: [usize; 3] = [1_000, 100_000, 1_000_000];

/// How often the results are asked for, one request after another.
const TIMES: usize = 100;

/// Clients that ask for them at the same time.
const CLIENTS: usize = 64;

/// Connections of the ordinary client.
const ORDINARY: usize = 4;

/// Measures with each number of records, under load for the time `each`, and prints.
pub(crate) fn run(each: Duration) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "records per store",
        "median",
        "longest",
        "memory more",
        "cached answers beside 64 clients: 99 %",
    ]);
    for records in RECORDS {
        eprintln!("{records} records …");
        table.add_row(measure(records, each)?);
    }
    writeln!(std::io::stdout().lock(), "{table}")?;
    Ok(())
}

fn measure(records: usize, each: Duration) -> anyhow::Result<[String; 5]> {
    let model = ModelServer::start()?;
    model.answer_with("positive");
    let app = app(&model, records)?;
    let address: SocketAddr = app.url("").trim_start_matches("http://").trim_end_matches('/').parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Until both variants have it in their stores.
    let mut answered = [false; 2];
    while answered != [true; 2] {
        let answer = runtime.block_on(app.ask(SENTENCE));
        answered[usize::from(answer.variant == SECOND)] = true;
    }
    runtime.block_on(results(address))?;
    forget_peak(app.process())?;
    let before = peak(app.process())?;
    let mut latencies = Vec::new();
    for _ in 0..TIMES {
        let asked = Instant::now();
        runtime.block_on(results(address))?;
        latencies.push(asked.elapsed());
    }
    let more = peak(app.process())?.saturating_sub(before);
    latencies.sort_unstable();
    for _ in 0..CLIENTS {
        runtime.spawn(async move {
            loop {
                if results(address).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
    }
    let beside = load::run(address, ORDINARY, each, load::CACHED)?;
    runtime.shutdown_background();
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    Ok([
        records.to_string(),
        milliseconds(latencies[TIMES / 2]),
        milliseconds(latencies[TIMES - 1]),
        format!("{:.1} MiB", more as f64 / 1024.0 / 1024.0),
        milliseconds(beside.percentile(0.99)),
    ])
}

/// An app with so many records in each store, counted.
fn app(model: &ModelServer, records: usize) -> anyhow::Result<App> {
    let mut builder = App::builder().model(model);
    for (label, name) in [(FIRST, "a"), (SECOND, "b")] {
        let prompt = format!("{label}: {{SENTENCE}}");
        let fingerprint = Fingerprint::of(&prompt);
        let mut entries = vec![("prompt".to_owned(), prompt.into_bytes())];
        let mut sums = Sums::default();
        for number in 0..records {
            let sentence = format!("Sentence {number}");
            let record = Record::new(&Key::for_sentence(&sentence), Outcome::Positive, fingerprint, MODEL)
                .timed(SystemTime::now(), Duration::from_millis(number as u64 % 900))
                .with_tokens(90, 2);
            sums.add(&Observation::of_record(&record, |outcome: &Outcome| outcome.as_str()));
            entries.push((sentence, record.to_json()?));
        }
        entries.extend(sums.entries(false)?);
        builder =
            builder.store(label, name, entries.iter().map(|(key, value)| (key.as_str(), value.as_slice())));
    }
    Ok(builder.start())
}

async fn results(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /api/results HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(std::io::ErrorKind::InvalidData.into()) }
}

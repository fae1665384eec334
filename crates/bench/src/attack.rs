//! An attack: bodies that come a byte at a time, guessed passwords, requests for the results whose clients hang up at once,
//! and idle connections, all together; and what an ordinary client, whose answers are in the store, notices of it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::{App, FIRST, SECOND};
use e2e::explorer::ROUTE;
use e2e::model_server::ModelServer;
use e2e::usage::{forget_peak, peak, resident};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::{self, Load, SENTENCE};

const SLOW_BODIES: usize = 300;
const GUESSERS: usize = 256;
const HANGING_UP: usize = 64;
const IDLE: usize = 4096;

/// Records in each store, for the results to read.
const RECORDS: usize = 1000;

/// Connections of the ordinary client.
const ORDINARY: usize = 4;

/// Measures for the time `each` without the attack, and then with it, and prints.
pub(crate) fn run(each: Duration) -> anyhow::Result<()> {
    let model = ModelServer::start()?;
    model.answer_with("positive");
    let record =
        br#"{"sentiment":"positive","prompt":"0123456789ab","model":"llama2-chat","at":"","elapsed_ms":200}"#;
    let keys: Vec<String> = (0..RECORDS).map(|number| format!("sentence {number}")).collect();
    let records = || keys.iter().map(|key| (key.as_str(), record.as_slice()));
    let app = App::builder().model(&model).store(FIRST, "a", records()).store(SECOND, "b", records()).start();
    let address = app.url("").trim_start_matches("http://").trim_end_matches('/').parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for label in [FIRST, SECOND] {
        let prompt = format!("{label}: {{SENTENCE}}");
        runtime.block_on(app.explorer().set(label, "prompt", &prompt));
    }
    // Until both variants have it in their stores.
    while app.records(FIRST).len() + app.records(SECOND).len() < 2 * RECORDS + 2 {
        runtime.block_on(app.ask(SENTENCE));
    }
    let quiet = load::run(address, ORDINARY, each, load::CACHED)?;
    let memory = resident(app.process())?;
    forget_peak(app.process())?;
    let done = Arc::new(Done::default());
    for _ in 0..IDLE {
        runtime.spawn(idle(address));
    }
    for _ in 0..SLOW_BODIES {
        runtime.spawn(again(done.clone(), |done| &done.bodies, move || slow_body(address)));
    }
    for number in 0..GUESSERS {
        runtime.spawn(again(done.clone(), |done| &done.guesses, move || guess(address, number)));
    }
    for _ in 0..HANGING_UP {
        runtime.spawn(again(done.clone(), |done| &done.hung_up, move || hang_up(address)));
    }
    // All of them are there before the ordinary client begins.
    std::thread::sleep(each / 4);
    let attacked = load::run(address, ORDINARY, each, load::CACHED).context("under attack")?;
    let most = peak(app.process())?;
    runtime.shutdown_background();
    print(&quiet, &attacked, memory, most, &done)
}

/// How often each part of the attack was done.
#[derive(Default)]
struct Done {
    bodies: AtomicUsize,
    guesses: AtomicUsize,
    hung_up: AtomicUsize,
}

/// Does a part of the attack again and again, whatever becomes of it.
async fn again<F: Future<Output = std::io::Result<()>>>(
    done: Arc<Done>,
    which: fn(&Done) -> &AtomicUsize,
    part: impl Fn() -> F,
) {
    loop {
        if part().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        which(&done).fetch_add(1, Ordering::Relaxed);
    }
}

async fn idle(address: SocketAddr) {
    while let Ok(mut stream) = TcpStream::connect(address).await {
        // Until the server closes it.
        let _ = stream.read_u8().await;
    }
}

async fn slow_body(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        "POST /api/sentiment-analysis HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    loop {
        // An error once the server has closed the connection.
        stream.write_all(b"1\r\n \r\n").await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn guess(address: SocketAddr, number: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    // Whatever is sent is wrong: it is not even Base64.
    let request = format!(
        "GET {ROUTE}/api/stores HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic {number}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 4096];
    stream.read(&mut answer).await.map(drop)
}

async fn hang_up(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /api/results HTTP/1.1\r\nhost: localhost\r\n\r\n").await
}

fn print(quiet: &Load, attacked: &Load, memory: u64, most: u64, done: &Done) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["an ordinary client's cached answers", "alone", "under attack"]);
    let latency = |load: &Load, share| format!("{:.2} ms", load.percentile(share).as_secs_f64() * 1e3);
    table.add_row([
        "requests/s".to_owned(),
        format!("{:.0}", quiet.rate()),
        format!("{:.0}", attacked.rate()),
    ]);
    for (name, share) in [("latency, 50 %", 0.5), ("latency, 99 %", 0.99), ("latency, the longest", 1.0)] {
        table.add_row([name.to_owned(), latency(quiet, share), latency(attacked, share)]);
    }
    table.add_row(["failed", "0", "0"]);
    let mebi = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0);
    table.add_row(["memory of the runtime, at most".to_owned(), mebi(memory), mebi(most)]);
    writeln!(out, "{table}")?;
    let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    writeln!(
        out,
        "\nThe attack: {IDLE} idle connections, {SLOW_BODIES} bodies that come a byte at a time ({} given up), {GUESSERS} guessers of a \
         password ({} tries), {HANGING_UP} clients that ask for the results and hang up ({} times).",
        count(&done.bodies),
        count(&done.guesses),
        count(&done.hung_up)
    )?;
    Ok(())
}

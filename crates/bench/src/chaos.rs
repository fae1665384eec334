//! Everything that can go wrong, for as long as wanted: mixed traffic at 80 % of what the app can do, while the runtime and Redis are
//! killed, the disk fills, SQLite is locked, the model dies, hangs and talks nonsense, links flip, and clients stall. At the end
//! everything that was acknowledged has to be there and right, and the memory flat.

mod disk;
mod faults;
mod flips;
mod ledger;
mod memory;
mod rough;
mod schedule;
mod traffic;
mod verdict;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::redis_server::{DURABLE, RedisServer};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use self::disk::Disk;
use self::faults::Scene;
use self::flips::Links;
use self::memory::Memory;
use self::schedule::Schedule;
use self::traffic::{CLIENTS, Traffic};
use self::verdict::Verdict;

/// The share of the app's capacity that the traffic takes.
const SHARE: f64 = 0.8;

/// How often the orchestra is conducted, and memory sampled.
const TICK: Duration = Duration::from_millis(100);

/// How long the app may take to follow the last link once all faults are over.
const FOLLOWS: Duration = Duration::from_secs(20);

/// How long, and from which seed.
pub(crate) struct Options {
    time: Duration,
    seed: u64,
}

impl Options {
    pub(crate) fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self { time: Duration::from_mins(10), seed: 1 };
        for pair in arguments.chunks(2) {
            match pair {
                ["--seconds", seconds] => {
                    options.time = Duration::from_secs(seconds.parse().context("--seconds")?);
                }
                ["--seed", seed] => options.seed = seed.parse().context("--seed")?,
                _ => anyhow::bail!("usage: bench chaos [--seconds N] [--seed N]"),
            }
        }
        Ok(options)
    }
}

/// Runs and prints; fails where anything that was acknowledged is lost, torn or wrong.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let Options { time, seed } = *options;
    let redis = RedisServer::start(&DURABLE).context("redis-server is not installed")?;
    let disk = Disk::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut scene = Scene::set(redis, &disk, seed)?;
    let traffic = Traffic::new(scene.app.url(""));
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| runtime.spawn(traffic::client(traffic.clone(), number, seed))).collect();

    let capacity = capacity(&traffic, (time / 20).clamp(Duration::from_secs(3), Duration::from_secs(20)));
    let pace = CLIENTS as f64 / (SHARE * capacity);
    traffic.pace.store((pace * 1e6) as u64, Ordering::Relaxed);
    let schedule = Schedule::new(seed, time);
    let mut out = std::io::stderr().lock();
    writeln!(out, "Capacity: {capacity:.0} requests/s. Seed {seed}, disk: {}.", disk.means())?;

    let before = traffic.requests.load(Ordering::Relaxed);
    let mut memory = Memory::new();
    conduct(&mut scene, &runtime, &traffic, &schedule, time, &mut memory)?;
    let rate = (traffic.requests.load(Ordering::Relaxed) - before) as f64 / time.as_secs_f64();
    traffic.ends.store(true, Ordering::Relaxed);
    runtime.block_on(until_done(clients))?;

    let mut verdict = verdict::reach(&scene.app, &traffic.ledger);
    verdict.faults.append(&mut scene.links.faults);
    verdict.faults.append(&mut traffic.ledger.wrong());
    if let Err(error) = runtime.block_on(follows(&scene)) {
        verdict.faults.push(error.to_string());
    }
    print(&traffic, &verdict, &scene, &memory, capacity, rate)?;
    anyhow::ensure!(verdict.faults.is_empty(), "{} faults", verdict.faults.len());
    Ok(())
}

/// How many requests a second the clients get done when they do not wait, at present.
fn capacity(traffic: &Traffic, time: Duration) -> f64 {
    // The first requests compile and connect.
    std::thread::sleep(time / 4);
    let before = traffic.requests.load(Ordering::Relaxed);
    std::thread::sleep(time);
    (traffic.requests.load(Ordering::Relaxed) - before) as f64 / time.as_secs_f64()
}

/// Lets everything happen at its time.
fn conduct(
    scene: &mut Scene<'_>,
    runtime: &Runtime,
    traffic: &Arc<Traffic>,
    schedule: &Schedule,
    time: Duration,
    memory: &mut Memory,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut steps = schedule.steps.iter().peekable();
    let mut kills = schedule.kills.iter().peekable();
    let mut current = None;
    while start.elapsed() < time || current.is_some() || scene.is_down() {
        let now = start.elapsed();
        if let Some(step) = steps.next_if(|step| step.from <= now && current.is_none()) {
            eprintln!("{step}");
            current = Some((step, scene.begin(step.fault, runtime, traffic)?));
        }
        if let Some((step, going_on)) = current.take() {
            if now < step.until {
                scene.tick(&going_on)?;
                current = Some((step, going_on));
            } else {
                scene.end(going_on, traffic)?;
            }
        }
        if kills.next_if(|kill| **kill <= now).is_some() {
            eprintln!("{:6.1} s: the runtime is killed", now.as_secs_f64());
            scene.kill();
            memory.begin_life();
        }
        scene.start_again(traffic)?;
        memory.sample(scene.app.process());
        std::thread::sleep(TICK);
    }
    Ok(())
}

async fn until_done(clients: Vec<JoinHandle<anyhow::Result<()>>>) -> anyhow::Result<()> {
    for client in clients {
        client.await??;
    }
    Ok(())
}

/// Whether the app comes to use the store that was linked last.
async fn follows(scene: &Scene<'_>) -> anyhow::Result<()> {
    let linked =
        flips::linked(&scene.app.runtime_config()).context("the runtime configuration has lost the link")?;
    let patience = Instant::now() + FOLLOWS;
    loop {
        let variants = scene.app.get("/api/variants").await;
        if variants.text().contains(&faults::mark(linked)) {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < patience,
            "the app does not follow the link to {linked}: {}",
            variants.text()
        );
        tokio::time::sleep(TICK).await;
    }
}

fn print(
    traffic: &Traffic,
    verdict: &Verdict,
    scene: &Scene<'_>,
    memory: &Memory,
    capacity: f64,
    rate: f64,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["what clients saw", "end", "times"]);
    for ((kind, end), times) in &*traffic.ledger.seen() {
        table.add_row([(*kind).to_owned(), end.clone(), times.to_string()]);
    }
    writeln!(out, "{table}\n")?;
    for fault in verdict.faults.iter().take(20) {
        writeln!(out, "FAULT: {fault}")?;
    }
    let Links { acknowledged, refused, .. } = &scene.links;
    let Verdict { answers, votes, annotations, records, not_recorded, faults } = verdict;
    let (seconds, slope) = memory.slope();
    let mut starts = scene.starts.clone();
    starts.sort_unstable();
    let mut cached = traffic.ledger.cached();
    cached.sort_unstable();
    let cached_of = |share: f64| percentile(&cached, share).as_secs_f64() * 1e3;
    writeln!(
        out,
        "{rate:.0} requests/s of {capacity:.0}. Acknowledged: {answers} answers, {votes} votes, {annotations} annotations, {acknowledged} links \
         ({refused} refused); {records} records. Lost, torn or wrong: {}. Answered without a record while a store failed: {not_recorded}. \
         {} answers from a store took {:.1} ms (50 %), {:.1} ms (99 %), {:.0} ms (the longest). \
         {} kills; from a start to the first answer {:.0} ms (median), {:.0} ms (the longest); starts that failed meanwhile: {}. \
         Memory: {:.0} MiB at most, {slope:+.2} MiB/min over the last {seconds:.0} s of the longest life.",
        faults.len(),
        cached.len(),
        cached_of(0.5),
        cached_of(0.99),
        cached_of(1.0),
        starts.len(),
        percentile(&starts, 0.5).as_secs_f64() * 1e3,
        percentile(&starts, 1.0).as_secs_f64() * 1e3,
        scene.failed_starts,
        memory.most()
    )?;
    Ok(())
}

/// What this share of sorted times, from 0 to 1, does not exceed.
fn percentile(times: &[Duration], share: f64) -> Duration {
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * share) as usize).copied().unwrap_or_default()
}

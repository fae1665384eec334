//! What everything costs as records grow, in SQLite and in Redis: answers, results, the queue for annotation, reports, pruning, disk and
//! memory. Records are written in bulk into the stores, as if they had been answered before.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::{App, CREDENTIALS, FIRST, JOURNAL, MODEL, SECOND};
use e2e::model_server::ModelServer;
use e2e::process::Process;
use e2e::redis_server::RedisServer;
use e2e::response::Response;
use e2e::store::StoreFile;
use e2e::usage::{peak, resident};
use experiment::analysis::Observation;
use experiment::tally::Sums;
use experiment::{Fingerprint, Key, Record};
use reqwest::Method;
use sentiment::Outcome;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The fewest records in each store.
const FEWEST: usize = 1_000;

/// The most, unless told otherwise.
const MOST: usize = 1_000_000;

/// Records written together.
const TOGETHER: usize = 50_000;

/// How often each other request is made.
const TIMES: usize = 100;

/// How often the results are asked for.
const RESULTS: usize = 20;

/// Longer than an answer of the results is given again.
const ANEW: Duration = Duration::from_millis(300);

const PROMPTS: [(&str, &str); 2] = [(FIRST, "The first: {SENTENCE}"), (SECOND, "The second: {SENTENCE}")];

/// Fills the stores up to the number of records that is the argument, tenfold each time, measures, and prints.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let most = match arguments {
        [] => MOST,
        [most] => most.parse().context("the argument is the most records of a store")?,
        _ => anyhow::bail!("usage: bench records [MOST]"),
    };
    for place in [Some(Place::files()?), Place::redis()].into_iter().flatten() {
        let (mut table, mut written) = (Table::new(), 0);
        table.load_style(ASCII_MARKDOWN);
        table.set_header([
            "records per store",
            "cached answer",
            "new answer",
            "results",
            "annotations/next",
            "the app's memory",
            "`ab report`",
            "`ab kv prune --dry-run`",
            "`ab kv list`",
            "a record takes",
        ]);
        let mut sums = [Sums::default(), Sums::default()];
        let levels = std::iter::successors(Some(FEWEST), |level| Some(level * 10));
        for records in levels.take_while(|level| *level <= most) {
            eprintln!("{}: {records} records …", place.name());
            let started = Instant::now();
            place.fill(written..records, &mut sums)?;
            written = records;
            eprintln!("… written in {:.0} s", started.elapsed().as_secs_f64());
            table.add_row(measure(&place, records)?);
        }
        writeln!(std::io::stdout().lock(), "{}\n\n{table}\n", place.name())?;
    }
    Ok(())
}

/// Where the stores are.
enum Place {
    Files(TempDir),
    Redis(RedisServer),
}

impl Place {
    fn files() -> anyhow::Result<Self> {
        Ok(Self::Files(tempfile::tempdir()?))
    }

    /// `None` where Redis is not installed.
    fn redis() -> Option<Self> {
        RedisServer::start(&[]).map(Self::Redis)
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "SQLite",
            Self::Redis(_) => "Redis",
        }
    }

    fn fill(&self, numbers: std::ops::Range<usize>, sums: &mut [Sums; 2]) -> anyhow::Result<()> {
        for (place, (label, prompt)) in PROMPTS.into_iter().enumerate() {
            let fingerprint = Fingerprint::of(prompt);
            self.write(place, &[("prompt".to_owned(), prompt.as_bytes().to_vec())])?;
            let outcome = [Outcome::Positive, Outcome::Negative][place];
            for first in numbers.clone().step_by(TOGETHER) {
                let mut entries = Vec::new();
                for number in first..numbers.end.min(first + TOGETHER) {
                    let sentence = sentence(number);
                    let record = Record::new(&Key::for_sentence(&sentence), outcome, fingerprint, MODEL)
                        .timed(SystemTime::now(), Duration::from_millis(number as u64 % 900))
                        .with_tokens(90, 2);
                    let name = |outcome: &Outcome| outcome.as_str();
                    sums[place].add(&Observation::of_record(&record, name));
                    entries.push((sentence, record.to_json()?));
                }
                self.write(place, &entries)?;
            }
            self.write(place, &sums[place].entries(matches!(self, Self::Redis(_)))?)
                .with_context(|| format!("the tallies of {label}"))?;
        }
        Ok(())
    }

    /// Sets entries of the variant at this place of the experiment.
    fn write(&self, place: usize, entries: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        let (label, _) = PROMPTS[place];
        match self {
            Self::Files(folder) => {
                let entries = entries.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
                StoreFile::new(file(folder.path(), label)).set(label, entries);
            }
            Self::Redis(server) => {
                let url = server.url(u8::try_from(place)?);
                let mut connection = redis::Client::open(url)?.get_connection()?;
                for entries in entries.chunks(1000) {
                    redis::cmd("MSET").arg(entries).exec(&mut connection)?;
                }
            }
        }
        Ok(())
    }

    /// Starts the app on the stores.
    fn app(&self, model: &ModelServer) -> App {
        let builder = App::builder().model(model).variable("shadow", "1");
        match self {
            Self::Files(folder) => PROMPTS
                .into_iter()
                .fold(builder.stores_in(folder.path()), |app, (label, _)| app.store(label, label, []))
                .start(),
            Self::Redis(server) => [FIRST, SECOND, JOURNAL]
                .into_iter()
                .zip(0..)
                .fold(builder, |app, (label, place)| app.redis(label, server.url(place)))
                .start(),
        }
    }

    /// Bytes on the disk or in the memory of Redis.
    fn bytes(&self) -> anyhow::Result<u64> {
        match self {
            Self::Files(folder) => {
                let sizes = PROMPTS.map(|(label, _)| Ok(file(folder.path(), label).metadata()?.len()));
                sizes.into_iter().sum::<std::io::Result<u64>>().map_err(Into::into)
            }
            Self::Redis(server) => {
                let memory = server.ask("INFO memory");
                let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:"));
                Ok(used.context("Redis does not say what memory it uses")?.trim().parse()?)
            }
        }
    }
}

fn file(folder: &Path, label: &str) -> std::path::PathBuf {
    folder.join(format!("{label}.db"))
}

/// In the order of the numbers, which is that of the keys.
fn sentence(number: usize) -> String {
    format!("The sentence with the number {number:08}")
}

fn measure(place: &Place, records: usize) -> anyhow::Result<[String; 10]> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let model = ModelServer::start()?;
    model.answer_sentence("The first", "positive").answer_sentence("The second", "negative");
    let app = place.app(&model);
    runtime.block_on(app.ask("Hello"));
    let cached = median(TIMES, |number| {
        let answer = runtime.block_on(app.ask(&sentence(number * 7919 % records)));
        anyhow::ensure!(answer.cached, "a record is not served");
        Ok(())
    })?;
    let new = median(TIMES, |number| {
        let answer = runtime.block_on(app.ask(&format!("New {number} beside {records}")));
        anyhow::ensure!(!answer.cached, "a new sentence is known");
        Ok(())
    })?;
    let results = median(RESULTS, |_| {
        std::thread::sleep(ANEW);
        get(&runtime, &app, "/api/results", "\"variants\"")
    })?;
    let next = median(TIMES, |_| get(&runtime, &app, "/api/annotations/next?n=10", "New "))?;
    let memory = resident(app.process())?;
    let older = ["kv", "prune", "--label", FIRST, "--older-than", "1d", "--dry-run"];
    Ok([
        records.to_string(),
        time(cached),
        time(new),
        time(results.saturating_sub(ANEW)),
        time(next),
        mebibytes(memory),
        command(&app, &["report", "--format", "json"])?,
        command(&app, &older)?,
        command(&app, &["kv", "list"])?,
        format!("{} B", place.bytes()? / (2 * records as u64)),
    ])
}

fn get(runtime: &Runtime, app: &App, path: &str, expected: &str) -> anyhow::Result<()> {
    let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
    let request = app.request(Method::GET, path).basic_auth(user, Some(password));
    let answer = runtime.block_on(Response::of(request))?;
    anyhow::ensure!(answer.status == 200 && answer.text().contains(expected), "{path}: {}", answer.text());
    Ok(())
}

fn median(count: usize, mut request: impl FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for number in 0..count {
        let started = Instant::now();
        request(number)?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[count / 2])
}

/// How long a command of the command line's takes, and its memory at most, looked at every few milliseconds.
fn command(app: &App, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command: Command = app.command(arguments);
    let started = Instant::now();
    let mut process = Process::start("ab", &mut command);
    let mut most = 0;
    // Once it has ended it has no memory.
    while let Ok(memory) = peak(&process) {
        most = most.max(memory);
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = started.elapsed();
    anyhow::ensure!(process.wait().success(), "{arguments:?} failed:\n{}", process.output());
    Ok(format!("{}, {}", time(took), mebibytes(most)))
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / 1024.0 / 1024.0)
}

//! What is measured: three servers over the same store, as one or two profiles build them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use e2e::artifacts::{self, root};
use experiment::{Fallback, Key, PROMPT_KEY, Prompt, Record};
use rusqlite::Connection;
use sentiment::{DEFAULT_PROMPT, Outcome};

use crate::load::{self, CACHED, Load, SENTENCE};
use crate::process::Server;

/// Connections at the same time under load.
const CONNECTIONS: usize = 32;

/// A server to be measured.
pub(crate) struct Subject {
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<String>,
    /// The component that answers, to be weighed.
    component: Option<PathBuf>,
}

/// What was found of one server in one turn.
pub(crate) struct Turn {
    /// From the start of the process to the first answer, everything compiled before.
    pub(crate) first_answer: Duration,
    pub(crate) idle_memory: u64,
    pub(crate) loaded_memory: u64,
    /// All connections at once.
    pub(crate) load: Load,
    /// One connection, kept alive.
    pub(crate) alone: Load,
    /// The server's own, under load.
    pub(crate) cpu_per_request: Duration,
}

/// The programs that one profile builds.
pub(crate) struct Programs {
    pub(crate) profile: String,
    ab: PathBuf,
    bench: PathBuf,
}

impl Programs {
    /// Those of this program's own profile.
    pub(crate) fn own() -> anyhow::Result<Self> {
        let bench = std::env::current_exe()?;
        Ok(Self { profile: artifacts::profile(), ab: artifacts::ab().to_owned(), bench })
    }

    /// Builds those for people who install the command line, as they would but for the telemetry.
    pub(crate) fn dist() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let status = command
            .args(["build", "--profile", "dist", "--bin", "ab", "--bin", "bench"])
            .current_dir(root())
            .status()?;
        anyhow::ensure!(status.success(), "the programs of the profile dist were not built: {status}");
        let folder = root().join("target/dist");
        Ok(Self { profile: "dist".to_owned(), ab: folder.join("ab"), bench: folder.join("bench") })
    }
}

/// Where the bare component's app is.
fn bare() -> PathBuf {
    root().join("crates/bench/bare")
}

/// Builds the command line and the components.
pub(crate) fn build() -> anyhow::Result<()> {
    artifacts::build_components();
    let mut command = Command::new(artifacts::ab());
    let status = command.args(["build", "--from"]).arg(bare()).status()?;
    anyhow::ensure!(status.success(), "the bare component was not built: {status}");
    Ok(())
}

/// The three servers of each profile, over a store made in `folder`.
pub(crate) fn all(folder: &Path, programs: &[Programs]) -> anyhow::Result<Vec<[Subject; 3]>> {
    let store = folder.join("store.db");
    fill(&store)?;
    let config = folder.join("runtime-config.toml");
    let links = [("promptstore1", "store.db"), ("promptstore2", "other.db"), ("journal", "journal.db")];
    let links =
        links.map(|(label, file)| format!("[key_value_store.{label}]\ntype = \"spin\"\npath = \"{file}\"\n"));
    std::fs::write(&config, links.concat())?;
    let up = |app: &Path, more: &[&str]| {
        let mut arguments: Vec<String> =
            ["up", "--no-build", "--quiet", "--listen", "127.0.0.1:0", "--from"].map(str::to_owned).to_vec();
        arguments.push(app.display().to_string());
        arguments.extend(["--runtime-config-file".to_owned(), config.display().to_string()]);
        arguments.extend(["--log-dir".to_owned(), folder.join("logs").display().to_string()]);
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        arguments
    };
    let release = root().join("target/wasm32-wasip2/release");
    let variables = ["--variable", "variants=promptstore1", "--variable", "model=llama2-chat"];
    let servers = |Programs { profile, ab, bench }: &Programs| {
        [
            Subject {
                name: format!("native ({profile})"),
                program: bench.clone(),
                arguments: vec!["native".to_owned(), store.display().to_string()],
                component: None,
            },
            Subject {
                name: format!("bare component ({profile})"),
                program: ab.clone(),
                arguments: up(&bare(), &[]),
                component: Some(release.join("bench_bare.wasm")),
            },
            Subject {
                name: format!("the app ({profile})"),
                program: ab.clone(),
                arguments: up(root(), &variables),
                component: Some(release.join("sentiment_analysis.wasm")),
            },
        ]
    };
    Ok(programs.iter().map(servers).collect())
}

/// A store with a prompt and the answer to one sentence.
fn fill(path: &Path) -> anyhow::Result<()> {
    let key = Key::for_sentence(SENTENCE);
    let prompt = Prompt::fallback(Fallback::Missing, DEFAULT_PROMPT);
    let record = Record::new(&key, Outcome::Positive, prompt.fingerprint(), "llama2-chat")
        .timed(SystemTime::now(), Duration::from_millis(200))
        .with_tokens(80, 2);
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(
        "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))",
    )?;
    let values = [(PROMPT_KEY, DEFAULT_PROMPT.as_bytes().to_vec()), (key.as_str(), record.to_json()?)];
    for (key, value) in values {
        connection.execute("INSERT INTO spin_key_value VALUES ('promptstore1', ?1, ?2)", (key, value))?;
    }
    Ok(())
}

impl Subject {
    /// Starts the server so that it compiles what it has to.
    pub(crate) fn fill_caches(&self) -> anyhow::Result<()> {
        load::once(self.start()?.address, CACHED)
    }

    /// Measures a fresh process, under load for the time `each`.
    pub(crate) fn measure(&self, each: Duration) -> anyhow::Result<Turn> {
        let server = self.start()?;
        load::once(server.address, CACHED)?;
        let first_answer = server.started.elapsed();
        let idle_memory = server.memory()?;
        let alone = load::run(server.address, 1, each / 2, CACHED)?;
        let warm_up = load::run(server.address, CONNECTIONS, each / 4, CACHED)?;
        drop(warm_up);
        let cpu = server.cpu()?;
        let load = load::run(server.address, CONNECTIONS, each, CACHED)?;
        let cpu_per_request = server.cpu()?.saturating_sub(cpu) / u32::try_from(load.requests())?;
        Ok(Turn { first_answer, idle_memory, loaded_memory: server.memory()?, load, alone, cpu_per_request })
    }

    /// The size of the component, in bytes, if it is one.
    pub(crate) fn component_size(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.component.as_deref().map(Path::metadata).transpose()?.map(|data| data.len()))
    }

    fn start(&self) -> anyhow::Result<Server> {
        Server::start(Command::new(&self.program).args(&self.arguments))
    }
}

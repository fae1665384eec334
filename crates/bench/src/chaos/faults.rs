//! The app with all that it needs, and the faults of these.

use std::time::{Duration, Instant};

use e2e::app::{App, FIRST, SECOND};
use e2e::model_server::{ModelServer, Reply};
use e2e::redis_server::RedisServer;
use e2e::store::Locked;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::disk::Disk;
use super::flips::{Flips, Links, STORES};
use super::rough;
use super::schedule::Fault;
use super::traffic::{RIGHT, Traffic};

/// How long the app waits for the model, in seconds.
const MODEL_TIMEOUT: &str = "2";

pub(crate) struct Scene<'d> {
    pub(crate) app: App,
    redis: RedisServer,
    /// `None` while it is dead.
    model: Option<ModelServer>,
    model_address: std::net::SocketAddr,
    disk: &'d Disk,
    disk_is_full: bool,
    /// Whatever the model does next, instead of an answer.
    nonsense: std::iter::Cycle<std::vec::IntoIter<Reply>>,
    seed: u64,
    /// Whether the runtime was killed and is yet to be started.
    is_down: bool,
    pub(crate) links: Links,
    /// From each start to the first answer.
    pub(crate) starts: Vec<Duration>,
    pub(crate) failed_starts: u32,
}

/// A fault while it lasts.
pub(crate) enum GoingOn {
    Locked(Locked),
    DiskFull,
    RedisDown,
    ModelDead,
    ModelFails { hangs: bool },
    LinksFlip(Flips),
    RoughClients(Vec<JoinHandle<()>>),
}

/// What the prompt of a store has that no other has.
pub(crate) fn mark(store: &str) -> String {
    format!("Answer as {store} does.")
}

fn prompt(store: &str) -> String {
    format!("{} Is this positive, negative or neutral?[/INST]\nUser: {{SENTENCE}}", mark(store))
}

impl<'d> Scene<'d> {
    pub(crate) fn set(redis: RedisServer, disk: &'d Disk, seed: u64) -> anyhow::Result<Self> {
        let model = ModelServer::start()?;
        let model_address = model.address();
        teach(&model);
        let [linked, other] = STORES;
        let prompts = [linked, other].map(prompt);
        let entry = |prompt: &'static str, text: &'_ [u8]| (prompt, text.to_owned());
        let [linked_entry, other_entry] = prompts.each_ref().map(|text| entry("prompt", text.as_bytes()));
        let app = App::builder()
            .stores_in(disk.folder())
            .store(FIRST, linked, [(linked_entry.0, linked_entry.1.as_slice())])
            .unlinked_store(FIRST, other, [(other_entry.0, other_entry.1.as_slice())])
            .redis(SECOND, redis.url(0))
            .model(&model)
            .variable("model_timeout", MODEL_TIMEOUT)
            .variable("shadow", "0.1")
            .start();
        let nonsense = vec![
            Reply::Garbage,
            Reply::Page,
            Reply::Endless,
            Reply::WrongJson,
            Reply::CutBeforeAnswer,
            Reply::CutMidAnswer("positive".to_owned()),
            Reply::Status(500),
            Reply::RateLimited(1),
            Reply::Text("🌧 maybe?".repeat(100)),
        ];
        let nonsense = nonsense.into_iter().cycle();
        let scene = Self {
            app,
            redis,
            model: Some(model),
            model_address,
            disk,
            disk_is_full: false,
            nonsense,
            seed,
            is_down: false,
            links: Links::default(),
            starts: Vec::new(),
            failed_starts: 0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(scene.app.explorer().set(SECOND, "prompt", &prompt("redis")));
        Ok(scene)
    }

    pub(crate) fn begin(
        &mut self,
        fault: Fault,
        runtime: &Runtime,
        traffic: &std::sync::Arc<Traffic>,
    ) -> anyhow::Result<GoingOn> {
        if fault.is_of_stores() {
            traffic.ledger.fault_changes();
        }
        Ok(match fault {
            Fault::Locked(store) => GoingOn::Locked(self.app.store_file(store).lock()),
            Fault::DiskFull => {
                self.disk.fill(self.app.process().id())?;
                self.disk_is_full = true;
                GoingOn::DiskFull
            }
            Fault::RedisDown => {
                self.redis.kill();
                GoingOn::RedisDown
            }
            Fault::ModelDead => {
                self.model = None;
                GoingOn::ModelDead
            }
            Fault::ModelHangs => {
                self.model_says(Reply::from("positive").after(Duration::from_hours(1)));
                GoingOn::ModelFails { hangs: true }
            }
            Fault::ModelTalksNonsense => GoingOn::ModelFails { hangs: false },
            Fault::LinksFlip => GoingOn::LinksFlip(Flips::start(&self.app)),
            Fault::RoughClients => GoingOn::RoughClients(rough::start(runtime, traffic)),
        })
    }

    /// What there is to be done while a fault lasts.
    pub(crate) fn tick(&mut self, going_on: &GoingOn) -> anyhow::Result<()> {
        match going_on {
            GoingOn::ModelFails { hangs: false } => {
                if let Some(reply) = self.nonsense.next() {
                    self.model_says(reply);
                }
            }
            // What the app writes leaves room again, in its own files.
            GoingOn::DiskFull => self.disk.keep_full()?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, going_on: GoingOn, traffic: &Traffic) -> anyhow::Result<()> {
        let is_of_stores = matches!(going_on, GoingOn::Locked(_) | GoingOn::DiskFull | GoingOn::RedisDown);
        match going_on {
            GoingOn::Locked(lock) => drop(lock),
            GoingOn::DiskFull => {
                self.disk.free(self.app.process().id())?;
                self.disk_is_full = false;
            }
            GoingOn::RedisDown => self.redis.start_again(&[]),
            GoingOn::ModelDead => {
                let model = ModelServer::start_at(self.model_address)?;
                teach(&model);
                self.model = Some(model);
            }
            GoingOn::ModelFails { .. } => {
                if let Some(model) = &self.model {
                    model.fail_some(0, self.seed, "");
                }
            }
            GoingOn::LinksFlip(flips) => {
                let Links { acknowledged, refused, faults } = flips.end();
                self.links.acknowledged += acknowledged;
                self.links.refused += refused;
                self.links.faults.extend(faults);
            }
            GoingOn::RoughClients(clients) => clients.iter().for_each(JoinHandle::abort),
        }
        if is_of_stores {
            traffic.ledger.fault_changes();
        }
        Ok(())
    }

    /// Whether the runtime was killed and is yet to be started.
    pub(crate) fn is_down(&self) -> bool {
        self.is_down
    }

    /// Kills the runtime.
    pub(crate) fn kill(&mut self) {
        if !self.is_down {
            self.app.kill();
            self.is_down = true;
        }
    }

    /// Starts a runtime that was killed. Where a store is locked or its disk full that may fail: then it is to be tried again.
    pub(crate) fn start_again(&mut self, traffic: &Traffic) -> anyhow::Result<()> {
        if !self.is_down {
            return Ok(());
        }
        let start = Instant::now();
        if let Err(why) = self.app.start_again() {
            eprintln!("         {}", why.lines().last().unwrap_or_default());
            self.failed_starts += 1;
            return Ok(());
        }
        self.is_down = false;
        traffic.moves_to(self.app.url(""));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.app.get("/api/variants"));
        self.starts.push(start.elapsed());
        if self.disk_is_full {
            // A limit is the process's own.
            self.disk.fill(self.app.process().id())?;
        }
        Ok(())
    }

    fn model_says(&self, reply: Reply) {
        if let Some(model) = &self.model {
            model.fail_some(100, self.seed, reply);
        }
    }
}

impl Fault {
    fn is_of_stores(self) -> bool {
        matches!(self, Self::Locked(_) | Self::DiskFull | Self::RedisDown)
    }
}

fn teach(model: &ModelServer) {
    for (word, outcome) in RIGHT {
        model.answer_sentence(word, outcome);
    }
}

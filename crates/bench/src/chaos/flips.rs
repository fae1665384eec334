//! A label that is linked to one store and the other by `cargo ab link`, again and again.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use e2e::app::{App, FIRST};

/// The stores that the label means in turn.
pub(crate) const STORES: [&str; 2] = ["case-a", "case-c"];

/// What became of the links.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    /// What was wrong with them.
    pub(crate) faults: Vec<String>,
}

/// Links that are being changed.
pub(crate) struct Flips {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Links>,
}

impl Flips {
    pub(crate) fn start(app: &App) -> Self {
        let ends = Arc::<AtomicBool>::default();
        let commands = STORES.map(|store| {
            let path = app.store_file(store).path().to_owned();
            let path = path.to_string_lossy().into_owned();
            app.command(&["link", "key-value", FIRST, "--yes", "--store", &path])
        });
        let config = app.runtime_config();
        let thread = {
            let ends = ends.clone();
            std::thread::spawn(move || flip(commands, &config, &ends))
        };
        Self { ends, thread }
    }

    pub(crate) fn end(self) -> Links {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn flip(mut commands: [Command; 2], config: &PathBuf, ends: &AtomicBool) -> Links {
    let mut links = Links::default();
    while !ends.load(Ordering::Relaxed) {
        for (command, store) in commands.iter_mut().zip(STORES) {
            let before = linked(config);
            if before == Some(store) {
                continue;
            }
            let is_acknowledged = command.output().is_ok_and(|output| output.status.success());
            let after = linked(config);
            let expected = if is_acknowledged { Some(store) } else { before };
            if after != expected && (is_acknowledged || after != Some(store)) {
                links.faults.push(format!(
                    "the label was linked to {before:?}; a link to {store}, acknowledged: {is_acknowledged}, left {after:?}"
                ));
            }
            *(if is_acknowledged { &mut links.acknowledged } else { &mut links.refused }) += 1;
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    links
}

/// The store that the runtime configuration links to the label.
pub(crate) fn linked(config: &PathBuf) -> Option<&'static str> {
    let text = std::fs::read_to_string(config).ok()?;
    let (_, section) = text.split_once(&format!("[key_value_store.{FIRST}]"))?;
    let line = section.lines().find(|line| line.trim_start().starts_with("path"))?;
    STORES.into_iter().find(|store| line.contains(&format!("{store}.db")))
}

//! A runtime config that changes while the app runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spin_app::runtime_config::RuntimeConfig;

use crate::links::{LinkChange, Links};
use crate::output::tell;
use crate::periodic::Periodic;

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// Watches the runtime config and applies the links of a new version.
///
/// The file is read, not asked for its time: a link can change twice within what a file system can tell apart.
pub(crate) struct Reload {
    path: PathBuf,
    app_folder: PathBuf,
    seen: Option<Vec<u8>>,
    config: RuntimeConfig,
    /// The labels that the manifest grants.
    labels: BTreeSet<String>,
}

impl Reload {
    /// `config` is what was read from `path` last.
    pub(crate) fn new(
        path: PathBuf,
        app_folder: PathBuf,
        config: RuntimeConfig,
        labels: BTreeSet<String>,
    ) -> Self {
        // Unknown rather than read now: a change since `config` was read must not be missed.
        Self { path, app_folder, seen: None, config, labels }
    }

    /// Looks at the file until what this gives is dropped. A broken file is reported and the links stay.
    pub(crate) fn watch(mut self, links: Arc<Links>) -> Periodic {
        Periodic::start(INTERVAL, move || {
            let now = std::fs::read(&self.path).ok();
            if now != self.seen {
                self.seen = now;
                self.apply(&links);
            }
        })
    }

    fn apply(&mut self, links: &Links) {
        let path = self.path.display();
        let mut config = match RuntimeConfig::load(&self.path, &self.app_folder) {
            Ok(config) => config,
            Err(error) => return tell(&format!("{error}\nThe old links stay in force.")),
        };
        config.stores.retain(|label, _| self.labels.contains(label));
        match links.apply(&config.stores) {
            Ok(changes) => {
                for change in changes {
                    report(&change);
                }
            }
            Err(error) => return tell(&format!("{path}: {error}\nThe old links stay in force.")),
        }
        if config.llm != self.config.llm {
            tell(&format!("{path}: [llm_compute] has changed; restart the app to use it."));
        }
        self.config = config;
    }
}

fn report(change: &LinkChange) {
    match change {
        LinkChange::Linked { label, store } => {
            tell(&format!("The label \"{label}\" is now linked to {store}."));
        }
        LinkChange::Unlinked { label } => {
            tell(&format!("The label \"{label}\" is no longer linked: components cannot open it."));
        }
    }
}

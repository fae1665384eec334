//! A runtime config that changes while the app runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use spin_app::{Manifest, RuntimeConfig};

use crate::given::links::{self, LinkChange, Links};
use crate::given::output::tell;
use crate::periodic::Periodic;

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long a store that cannot be opened, because another process keeps it locked, is left alone before the next try.
const AGAIN: Duration = Duration::from_secs(1);

/// Watches the runtime configuration and applies the links of a new version.
///
/// The file is read, not asked for its time: a link can change twice within what a file system can tell apart.
pub(crate) struct Reload {
    app: Manifest,
    /// The file's text when it was last looked at.
    seen: Option<String>,
    config: RuntimeConfig,
    /// Why the stores that are linked now could not be opened, and when that is tried again.
    failed: Option<(String, Instant)>,
}

impl Reload {
    /// `config` is what was read last.
    pub(crate) fn new(app: Manifest, config: RuntimeConfig) -> Self {
        Self {
            app,
            seen: Some(config.text().to_owned()).filter(|text| !text.is_empty()),
            config,
            failed: None,
        }
    }

    /// Looks at the file until what this gives is dropped. A broken file is reported and the links stay.
    pub(crate) fn watch(mut self, links: Arc<Links>) -> Periodic {
        Periodic::start(INTERVAL, move || {
            let now = std::fs::read_to_string(&self.config.path).ok();
            if now != self.seen {
                self.seen.clone_from(&now);
                self.failed = None;
            } else if self.failed.as_ref().is_none_or(|(_, again)| Instant::now() < *again) {
                return;
            }
            self.apply(now, &links);
        })
    }

    fn apply(&mut self, text: Option<String>, links: &Links) {
        let path = self.config.path.clone();
        let shown = path.display();
        let stay = |why: &str| tell(&format!("{why}\nThe old links stay in force."));
        let Some(text) = text else { return stay(&format!("{shown} cannot be read anymore.")) };
        let config = match RuntimeConfig::parse(text, &path) {
            Ok(config) => config,
            Err(fault) => return stay(&fault.to_string()),
        };
        if let Some(fault) = config.beyond.first() {
            return stay(&fault.to_string());
        }
        match links.apply(&links::granted(&self.app, &config)) {
            Ok(changes) => {
                for change in changes {
                    report(&change);
                }
            }
            Err(error) => {
                let why = error.to_string();
                if self.failed.as_ref().is_none_or(|(before, _)| *before != why) {
                    stay(&format!("{shown}: {why}. This is tried again every second."));
                }
                self.failed = Some((why, Instant::now() + AGAIN));
                return;
            }
        }
        if config.llm != self.config.llm {
            tell(&format!("{shown}: [llm_compute] has changed; restart the app to use it."));
        }
        (self.config, self.failed) = (config, None);
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

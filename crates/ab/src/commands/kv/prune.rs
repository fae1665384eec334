//! `kv prune`.

use std::time::{Duration, SystemTime};

use experiment::numbers::{count, counted};
use experiment::{Fingerprint, KeyValues as _, PROMPT_KEY, Prompt, Record, key, timestamp};
use sentiment::{DEFAULT_PROMPT, Outcome};

use crate::prepare::tally;
use crate::results::live;
use crate::terminal::{Printer, ask, failure};
use crate::workspace::{Location, Target, Workspace};

/// Records removed together.
const TOGETHER: usize = 500;

/// What to remove, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prune {
    /// Records of this age as well, whatever their prompt.
    pub(crate) older_than: Option<Duration>,
    /// Only show what would be removed.
    pub(crate) dry_run: bool,
    /// Do not ask.
    pub(crate) yes: bool,
}

/// What stays.
struct Current {
    prompt: Fingerprint,
    model: String,
    /// What is not older, if there is a limit. A record without a time is of no age.
    since: Option<String>,
}

/// What becomes of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    OfAnotherPromptOrModel,
    TooOld,
}

impl Current {
    /// `None` for what is not a record.
    fn fate(&self, key: &str, value: &[u8]) -> Option<Fate> {
        let record = Record::<Outcome>::from_json(value).filter(|_| !key::is_reserved(key))?;
        let is_old = |since: &String| !record.at.is_empty() && record.at < *since;
        Some(if !record.is_of(self.prompt, &self.model) {
            Fate::OfAnotherPromptOrModel
        } else if self.since.as_ref().is_some_and(is_old) {
            Fate::TooOld
        } else {
            Fate::Stays
        })
    }
}

/// Removes the records that are not of the store's current prompt and the app's model, and those that are too old; then recounts
/// the rest. A record that an app replaces meanwhile stays. Killed half-way, the same command again does the rest.
///
/// # Errors
///
/// There is no such store, the app names no model, nobody can be asked, or the store cannot be read or written.
pub(crate) fn run(
    prune: Prune,
    target: &Target,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    let store = workspace.open_store(&found, printer)?;
    let since = |age| timestamp(SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH));
    let current = Current {
        prompt: Prompt::from_store(store.get(PROMPT_KEY)?, DEFAULT_PROMPT).fingerprint(),
        model: live::model(&workspace)?,
        since: prune.older_than.map(since),
    };
    let (mut all, mut old, mut outdated) = (0, 0, Vec::new());
    store.for_each(|key, value| {
        let Some(fate) = current.fate(key, value) else { return Ok(()) };
        all += 1;
        if fate != Fate::Stays {
            old += u64::from(fate == Fate::TooOld);
            outdated.push(key.to_owned());
        }
        anyhow::Ok(())
    })?;
    let removed = outdated.len() as u64;
    let (shown, what) = (&found.shown, format!("{} of {}", count(removed), counted(all, "observation")));
    let why = format!("{} of other prompts or models, {} older", count(removed - old), count(old));
    if prune.dry_run {
        printer.message(format_args!("{what} in \"{shown}\" would be removed: {why}"));
        return Ok(());
    }
    if removed > 0 && !prune.yes {
        if !ask::can_ask() {
            return Err(failure(format!("removing {what} from \"{shown}\" cannot be undone"))
                .hint("pass --yes to remove them without being asked; nothing was changed")
                .into());
        }
        if !ask::confirm(&format!("Remove {what} from \"{shown}\": {why}? This cannot be undone."))? {
            printer.message("Nothing was removed");
            return Ok(());
        }
    }
    let progress = printer.progress(removed);
    for keys in outdated.chunks(TOGETHER) {
        let values = store.get_many(keys)?.into_iter();
        let still = |(key, value): &(String, Vec<u8>)| {
            current.fate(key, value).is_some_and(|fate| fate != Fate::Stays)
        };
        let keys: Vec<String> = values.filter(still).map(|(key, _)| key).collect();
        store.delete(&keys)?;
        progress.inc(keys.len() as u64);
    }
    progress.finish_and_clear();
    tally::recount(&store, &found)?;
    printer.message(format_args!("{what} removed from \"{shown}\": {why}"));
    Ok(())
}

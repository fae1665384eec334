//! `kv set`.

use std::fs;
use std::io::{Read as _, stdin};

use anyhow::Context as _;
use experiment::{Fallback, Fingerprint, Origin, PROMPT_KEY, Prompt, Record};
use sentiment::{DEFAULT_PROMPT, Outcome};

use crate::stores::{Entries, Entry};
use crate::terminal::{Printer, Warning, failure};
use crate::workspace::{Location, Target, Workspace};

/// Sets keys: all of them, or none. A new prompt makes the observations of the former one stale: says how many. Each pair is `KEY=VALUE`, `KEY=@FILE` or `KEY=-`.
///
/// # Errors
///
/// A pair is malformed, a value cannot be read, there is no such store, or it cannot be written; nothing was set then.
pub(crate) fn run(
    pairs: &[String],
    target: &Target,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let found = workspace.find(target)?;
    if pairs.iter().filter(|pair| pair.split_once('=').is_some_and(|(_, value)| value == "-")).count() > 1 {
        return Err(failure("standard input can be the value of one key only").into());
    }
    let entries: Vec<Entry> = pairs.iter().map(|pair| entry(pair)).collect::<Result<_, _>>()?;
    let mut store = workspace.open_entries(&found, printer)?;
    let new_prompt = entries.iter().rfind(|(key, _)| key == PROMPT_KEY).map(|(_, value)| value.clone());
    let Some(new_prompt) = new_prompt else { return store.set(&entries) };
    let former = Prompt::from_store(store.get(PROMPT_KEY)?, DEFAULT_PROMPT);
    store.set(&entries)?;
    let prompt = Prompt::from_store(Some(new_prompt), DEFAULT_PROMPT);
    if *prompt.origin() == Origin::Default(Fallback::NoPlaceholder) {
        printer.warn(&Warning::NoPlaceholder { store: found.shown.clone() });
    }
    if prompt.fingerprint() != former.fingerprint() {
        let count = observations_of(&mut *store, former.fingerprint())?;
        if count > 0 {
            printer.warn(&Warning::ObservationsStale { store: found.shown, count });
        }
    }
    Ok(())
}

/// How many entries are records of what a model made of this prompt.
fn observations_of(store: &mut dyn Entries, prompt: Fingerprint) -> anyhow::Result<usize> {
    let mut count = 0;
    store.for_each(&mut |_, value| {
        count +=
            usize::from(Record::<Outcome>::from_json(value).is_some_and(|record| record.prompt == prompt));
        Ok(())
    })?;
    Ok(count)
}

fn entry(pair: &str) -> anyhow::Result<Entry> {
    let (key, value) = pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        failure(format!("{pair:?} is not a key and a value"))
            .hint("write KEY=VALUE, KEY=@FILE to read a file, or KEY=- to read standard input")
    })?;
    let value = match value.strip_prefix('@') {
        Some(path) => {
            fs::read(path).with_context(|| format!("cannot read {path}, the value of \"{key}\""))?
        }
        None if value == "-" => {
            let mut value = Vec::new();
            stdin().lock().read_to_end(&mut value).context("cannot read standard input")?;
            value
        }
        None => value.as_bytes().to_vec(),
    };
    Ok((key.to_owned(), value))
}

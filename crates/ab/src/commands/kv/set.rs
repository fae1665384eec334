//! `kv set`.

use std::fs;
use std::io::{Read as _, stdin};

use anyhow::Context as _;
use experiment::conversion;
use spin_app::StoreAddress;
use stores::Entry;

use super::watch::change_entries;
use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Target, Workspace};

/// Sets keys: all of them, or none. Each pair is `KEY=VALUE`, `KEY=@FILE` or `KEY=-`. A number under a counter's key becomes a counter of
/// the store's kind.
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
        return Err(failure("only one key can take its value from standard input").into());
    }
    let mut entries: Vec<Entry> = pairs.iter().map(|pair| entry(pair)).collect::<Result<_, _>>()?;
    let in_redis = matches!(found.address, StoreAddress::Redis(_));
    for (key, value) in &mut entries {
        *value = conversion::converted(key, std::mem::take(value), in_redis);
    }
    let store = workspace.open_store(&found, printer)?;
    let keys: Vec<String> = entries.iter().map(|(key, _)| key.clone()).collect();
    change_entries(&store, &found.shown, &keys, printer, || store.set(entries))
}

fn entry(pair: &str) -> anyhow::Result<Entry> {
    let (key, value) = pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        failure(format!("{pair:?} is not of the form KEY=VALUE"))
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

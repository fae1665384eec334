//! What a change of entries does to a store's prompt, and to the observations that were made with it.

use experiment::{Fallback, Fingerprint, Origin, PROMPT_KEY, Prompt, Record, key};
use sentiment::{DEFAULT_PROMPT, Outcome};
use stores::StoreError;

use crate::terminal::{Printer, Warning};
use crate::workspace::OpenStore;

/// Makes `change` to the store that messages call `shown`. If the prompt is among `keys`, warns of a prompt that the app
/// cannot use, and of observations that are stale now.
///
/// # Errors
///
/// Those of `change`; or the store cannot be read.
pub(super) fn change_entries<'k>(
    store: &OpenStore,
    shown: &str,
    keys: impl IntoIterator<Item = &'k String>,
    printer: Printer,
    change: impl FnOnce() -> Result<(), StoreError>,
) -> anyhow::Result<()> {
    if !keys.into_iter().any(|key| key == PROMPT_KEY) {
        return Ok(change()?);
    }
    let prompt = || anyhow::Ok(Prompt::from_store(store.get(PROMPT_KEY)?, DEFAULT_PROMPT));
    let former = prompt()?;
    change()?;
    let prompt = prompt()?;
    match prompt.origin() {
        Origin::Default(Fallback::NoPlaceholder) => {
            printer.warn(&Warning::NoPlaceholder { store: shown.to_owned() });
        }
        Origin::Default(_) => printer.warn(&Warning::NoPrompt { store: shown.to_owned() }),
        Origin::Store => {}
    }
    if prompt.fingerprint() != former.fingerprint() {
        let count = observations_of(store, former.fingerprint())?;
        if count > 0 {
            printer.warn(&Warning::ObservationsStale { store: shown.to_owned(), count });
        }
    }
    Ok(())
}

/// How many entries are records of what a model made of this prompt.
fn observations_of(store: &OpenStore, prompt: Fingerprint) -> anyhow::Result<usize> {
    let mut count = 0;
    store.for_each(|key, value| {
        let record = Record::<Outcome>::from_json(value).filter(|_| !key::is_reserved(key));
        count += usize::from(record.is_some_and(|record| record.prompt == prompt));
        Ok(())
    })?;
    Ok(count)
}

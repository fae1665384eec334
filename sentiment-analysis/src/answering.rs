//! What a variant's store holds of a sentence, and what the model says to it.

use std::time::{Duration, Instant, SystemTime};

use api::{Settings, inference::InferenceFailure, log::warn};
use experiment::{
    Key, Prompt, Record, Variant,
    analysis::Observation,
    spin::{Changed, Store, StoreError, StoredValues},
};
use sentiment::{Outcome, read_completion};
use spin_sdk::{time::sleep, wasip3::spawn};

use crate::inference;

/// A variant's store with what it holds of a sentence.
pub(crate) fn open_and_read<'v>(
    variant: &'v Variant,
    key: &Key<'_>,
) -> Result<(Store<'v>, StoredValues), StoreError> {
    let store = Store::open(variant.label())?;
    let stored = store.read(key)?;
    Ok((store, stored))
}

/// How long an answer is given to leave before its instance does anything else.
const LEAVING: Duration = Duration::from_millis(5);

/// Lets the answer leave: a call of a store may have to wait, for a lock or for Redis, and meanwhile nothing of the instance goes on.
pub(crate) async fn once_answered() {
    sleep(LEAVING).await;
}

/// Counts a record that was written in the store that holds it, once the answer has left. One that stayed as it was changes no count.
pub(crate) fn count(store: Store<'_>, Changed { before, after }: Changed<Outcome>) {
    if before.as_ref() == Some(&after) {
        return;
    }
    let store = store.into_owned();
    spawn(async move {
        once_answered().await;
        let observed = |record| Observation::of_record(record, |outcome: &Outcome| outcome.as_str());
        let before = before.as_ref().map(observed);
        if let Err(error) = store.tally(before.as_ref(), Some(&observed(&after))) {
            let label = store.label();
            warn(format_args!(
                "{label}: an observation was not counted; `cargo ab recount` counts it: {error}"
            ));
        }
    });
}

/// Asks the model, and records what it said if the variant's store is open.
pub(crate) async fn ask(
    settings: &Settings,
    variant: &Variant,
    store: Option<Store<'_>>,
    prompt: &Prompt,
    key: &Key<'_>,
) -> Result<Outcome, InferenceFailure> {
    let rendered = prompt.render(key.sentence());
    let started = Instant::now();
    let completion = inference::infer(settings, &rendered).await.inspect_err(|error| {
        warn(format_args!("{}: inference failed: {error}", variant.label()));
    })?;
    let outcome = read_completion(&rendered, &completion.text);
    if let Some(store) = store {
        let usage = completion.usage;
        let record = Record::new(key, outcome, prompt.fingerprint(), settings.model.as_str())
            .timed(SystemTime::now(), started.elapsed())
            .with_tokens(usage.prompt_token_count, usage.generated_token_count);
        match store.write(key, record) {
            Ok(changed) => count(store, changed),
            Err(error) => warn(format_args!("{}: an outcome was not recorded: {error}", variant.label())),
        }
    }
    Ok(outcome)
}

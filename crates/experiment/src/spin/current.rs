//! The prompts that the variants have right now.

use super::store::{Store, StoreError};
use crate::{Experiment, Prompt, Variant, analysis::CurrentVariant, journal::Round};

/// A variant's store, and the variant with the prompt in it. Two host calls.
pub(super) fn open<'v>(
    variant: &'v Variant,
    model: &str,
    default_prompt: &str,
) -> Result<(Store<'v>, CurrentVariant), StoreError> {
    let store = Store::open(variant.label())?;
    let prompt = Prompt::from_store(store.read_prompt()?, default_prompt).fingerprint();
    Ok((store, CurrentVariant::new(variant.label(), variant.weight(), prompt, model)))
}

/// The round of the prompts that the variants have right now: what is drawn and annotated now belongs to it. Two host calls for each
/// variant.
pub fn current_round(
    experiment: &Experiment,
    model: &str,
    default_prompt: &str,
) -> Result<Round, StoreError> {
    let prompts =
        experiment.variants().iter().map(|variant| Ok(open(variant, model, default_prompt)?.1.prompt));
    Ok(Round::new(prompts.collect::<Result<Vec<_>, StoreError>>()?, model))
}

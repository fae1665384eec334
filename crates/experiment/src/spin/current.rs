//! The prompts that the variants have right now.

use super::store::{Store, StoreError};
use crate::{Experiment, Prompt, analysis::CurrentVariant, journal::Round};

/// Each variant with the prompt in its store. Three host calls for each variant.
pub(super) fn variants(
    experiment: &Experiment,
    model: &str,
    default_prompt: &str,
) -> Result<Vec<CurrentVariant>, StoreError> {
    let variants = experiment.variants().iter().map(|variant| {
        let value = Store::open(variant.label())?.read_prompt()?;
        let prompt = Prompt::from_store(value, default_prompt);
        Ok(CurrentVariant::new(variant.label(), variant.weight(), prompt.fingerprint(), model))
    });
    variants.collect()
}

/// The round of these prompts: what is drawn and annotated now belongs to it.
pub fn current_round(
    experiment: &Experiment,
    model: &str,
    default_prompt: &str,
) -> Result<Round, StoreError> {
    let variants = variants(experiment, model, default_prompt)?;
    Ok(Round::new(variants.iter().map(|variant| variant.prompt), model))
}

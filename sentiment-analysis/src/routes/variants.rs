//! `GET /api/variants`: the experiment as it is set up, and which prompt each variant uses at this moment.

use api::answer;
use experiment::{Fingerprint, Variant, spin::Store};
use problem::Problem;
use serde::Serialize;
use spin_sdk::http::Response;

use crate::instance::Instance;

/// The body of an answer.
#[derive(Serialize)]
struct Answer<'i> {
    /// `random` or `visitor`.
    assignment: &'static str,
    model: &'i str,
    /// What a page shows of the model; empty where there is nothing to say.
    model_note: &'i str,
    variants: Vec<VariantInUse<'i>>,
}

/// A variant and its prompt.
#[derive(Serialize)]
struct VariantInUse<'i> {
    label: &'i str,
    weight: u32,
    prompt: String,
    fingerprint: Fingerprint,
    /// `store`, or `default` where the store has no prompt that can be used.
    origin: &'static str,
    /// Why the store cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Reads every variant's prompt.
pub(super) async fn get() -> Result<Response<String>, Problem> {
    let instance = Instance::get().await?;
    let config = &instance.config;
    answer::json(&Answer {
        assignment: config.assignment.as_str(),
        model: &config.model,
        model_note: &config.model_note,
        variants: config.experiment.variants().iter().map(|variant| in_use(instance, variant)).collect(),
    })
}

fn in_use<'i>(instance: &Instance, variant: &'i Variant) -> VariantInUse<'i> {
    let (prompt, error) = match Store::open(variant.label()).and_then(|store| store.read_prompt()) {
        Ok(value) => (instance.prompt(variant, Ok(value)), None),
        Err(error) => (instance.prompt(variant, Err(error.to_string())), Some(error.public())),
    };
    VariantInUse {
        label: variant.label(),
        weight: variant.weight(),
        prompt: prompt.text().to_owned(),
        fingerprint: prompt.fingerprint(),
        origin: prompt.origin().as_str(),
        error,
    }
}

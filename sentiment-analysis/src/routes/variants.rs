//! `GET /api/variants`: how the experiment is set up, and which prompt each variant uses right now.

use api::{response, visitor};
use experiment::{Fingerprint, Variant, spin::Store};
use problem::Problem;
use serde::Serialize;
use spin_sdk::http::{HeaderValue, Request, Response};

use crate::instance::{Instance, new_visitor};

/// The body of a response.
#[derive(Serialize)]
struct ExperimentInUse<'i> {
    /// `random` or `visitor`.
    assignment: &'static str,
    model: &'i str,
    /// What the pages say about the model; may be empty.
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
    /// `store`, or `default` if the store has no usable prompt.
    origin: &'static str,
    /// Why the store cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Reads every variant's prompt. The page asks for them first, so a new visitor gets the cookie here that makes their votes their own.
pub(super) async fn get(request: &Request) -> Result<Response<String>, Problem> {
    let instance = Instance::get().await?;
    let settings = &instance.settings;
    let mut response = response::json(&ExperimentInUse {
        assignment: settings.assignment.as_str(),
        model: &settings.model,
        model_note: &settings.model_note,
        variants: settings.experiment.variants().iter().map(|variant| in_use(instance, variant)).collect(),
    })?;
    if visitor::of(request.headers()).is_none()
        && let Some(cookie) = new_visitor().and_then(|it| HeaderValue::try_from(it.set_cookie()).ok())
    {
        response.headers_mut().insert("set-cookie", cookie);
    }
    Ok(response)
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

//! The app's variables, checked before anything listens, by the code with which its components read them.

use api::Misconfigured;
use host::LoadError;
use spin_app::manifest::Component;
use spin_app::variables::{Providers, Variables};

use crate::model;
use crate::prepare::offline;
use crate::terminal::failure;
use crate::workspace::Workspace;

/// Refuses values that a component could not work with. An app none of whose components has the variables of this app's API may use
/// their names as it likes.
///
/// # Errors
///
/// A variable has no value, one that cannot be used, or one that does not fit the model that answers.
pub(super) fn check(Workspace { app, config, .. }: &Workspace, providers: &Providers) -> anyhow::Result<()> {
    let variables = Variables::resolve(app, providers).map_err(LoadError::from)?;
    let has = |component: &Component, name: &str| component.variables.contains_key(name);
    let is_api = |component: &&Component| api::Settings::VARIABLES.iter().all(|name| has(component, name));
    let Some(api) = app.components.iter().find(is_api) else { return Ok(()) };
    let values = api::Settings::VARIABLES.map(|name| variables.get(&api.id, name).unwrap_or_default());
    let settings = api::Settings::parse(values).map_err(|error| refused(&error))?;
    for component in app.components.iter().filter(|component| has(component, "variants")) {
        settings.check_labels(&component.key_value_stores).map_err(|error| refused(&error))?;
    }
    let server = model::server::configured(app, providers, None)?;
    match (server, config.llm.as_ref()) {
        (None, None) => Ok(()),
        (server, llm) => offline::check_name(&settings.model, server.is_none() && offline::is_meant(llm)),
    }
}

fn refused(error: &Misconfigured) -> anyhow::Error {
    let message = format!("the variable `{}` cannot be used: {}", error.variable(), error.reason());
    failure(message).hint(error.remedy()).into()
}

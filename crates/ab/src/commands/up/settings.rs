//! The app's variables, checked before anything listens, by the code with which its components read them.

use api::settings::check_labels;
use api::{Answering, Misconfigured, Recording};
use host::LoadError;
use spin_app::Manifest;
use spin_app::manifest::Component;
use spin_app::variables::{Providers, Variables};

use crate::model;
use crate::prepare::offline;
use crate::terminal::failure;
use crate::workspace::Workspace;

/// Refuses values that a component could not work with. An app none of whose components has the variables of this app's components may use
/// their names as it likes.
///
/// # Errors
///
/// A variable has no value, one that cannot be used, or one that does not fit the model that answers.
pub(super) fn check(Workspace { app, config, .. }: &Workspace, providers: &Providers) -> anyhow::Result<()> {
    let variables = Variables::resolve(app, providers).map_err(LoadError::from)?;
    let Some(answering) = values(app, &variables, Answering::VARIABLES) else { return Ok(()) };
    let settings = Answering::parse(answering).map_err(|error| refused(&error))?;
    if let Some(recording) = values(app, &variables, Recording::VARIABLES) {
        Recording::parse(recording).map_err(|error| refused(&error))?;
    }
    for component in app.components.iter().filter(|component| component.variables.contains_key("variants")) {
        check_labels(&settings.experiment, &component.key_value_stores).map_err(|error| refused(&error))?;
    }
    let server = model::server::configured(app, providers, None)?;
    match (server, config.llm.as_ref()) {
        (None, None) => Ok(()),
        (server, llm) => offline::check_name(&settings.model, server.is_none() && offline::is_meant(llm)),
    }
}

/// The values of variables in the component that has them all.
fn values<'v, const N: usize>(
    app: &Manifest,
    variables: &'v Variables,
    names: [&str; N],
) -> Option<[&'v str; N]> {
    let has_all = |component: &&Component| names.iter().all(|name| component.variables.contains_key(*name));
    let component = app.components.iter().find(has_all)?;
    Some(names.map(|name| variables.get(&component.id, name).unwrap_or_default()))
}

fn refused(error: &Misconfigured) -> anyhow::Error {
    let message = format!("the variable `{}` cannot be used: {}", error.variable(), error.reason());
    failure(message).hint(error.remedy()).into()
}

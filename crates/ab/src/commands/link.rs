//! `link key-value`.

pub(crate) mod missing;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::{StoreAddress, absolute};
use stores::{Labels, Partition, StoreName, crash_point};

use crate::terminal::{Printer, Warning, ask, failure, program};
use crate::workspace::{Location, OpenStore, RuntimeConfig, Workspace, app};

/// A link to make.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) app: Option<String>,
    pub(crate) store: String,
    /// Change a link that leads elsewhere without asking.
    pub(crate) yes: bool,
}

/// Makes a label mean a store, and the store's rows carry the label.
///
/// # Errors
///
/// The store does not exist or cannot be opened, is linked that way already, or is linked with another label; or a
/// person says no. Nothing was changed then.
pub(crate) fn run(link: &Link, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let mut workspace = Workspace::open_to_change(location)?;
    workspace.expect_app(link.app.as_deref())?;
    let app = workspace.app.name.clone();
    let Link { label, store, .. } = link;

    let address = workspace.stores.resolve(store)?;
    if !workspace.exists(&address)? {
        return Err(failure(format!("Key value store \"{store}\" does not exist"))
            .hint(if StoreName::parse(store).is_ok() {
                format!("`{0} kv create {store}` makes it; `{0} kv list` shows what there is", program())
            } else {
                format!("`{} kv list` shows what there is; a path has to lead to a file", program())
            })
            .into());
    }
    let shown = workspace.shown(&address)?;
    let former = workspace.config.links()?.into_iter().find(|former| former.label == *label);
    let already = former.as_ref().is_some_and(|former| former.address.leads_to(&address));
    if already && !rows_are_misplaced(&address, label)? {
        return Err(failure(format!(
            "Key value store \"{shown}\" is already linked to app \"{app}\" with the label \"{label}\""
        ))
        .into());
    }
    if let Some(former) = former.filter(|_| !already) {
        let former = workspace.shown(&former.address)?;
        let question = format!(
            "App \"{app}\"'s \"{label}\" label is currently linked to \"{former}\". Change to link to key value store \"{shown}\" instead?"
        );
        if !link.yes && !confirmed(&question)? {
            printer.message("The link has not been updated");
            return Ok(());
        }
    }
    match &address {
        StoreAddress::Sqlite(path) => move_rows(&workspace, path, &shown, label)?,
        StoreAddress::Redis(_) => OpenStore::open(&address, "")?.check()?,
        StoreAddress::Elsewhere(_) => {}
    }
    crash_point("link:moved");
    workspace.config.set(label, &address)?;
    workspace.config.save()?;
    crash_point("link:saved");
    printer.message(format_args!(
        "Key value store \"{shown}\" is now linked to app \"{app}\" with the label \"{label}\""
    ));
    if !workspace.app.labels().contains(label.as_str()) {
        printer.warn(&Warning::LabelNotGranted { app, label: label.clone() });
    }
    Ok(())
}

fn confirmed(question: &str) -> anyhow::Result<bool> {
    if ask::can_ask() {
        return ask::confirm(question);
    }
    let statement = question.split(". Change").next().unwrap_or(question);
    Err(failure(statement).hint("--yes changes the link; nothing was changed").into())
}

/// Whether the store is linked by hand, and its rows still carry the label of an earlier link.
fn rows_are_misplaced(address: &StoreAddress, label: &str) -> anyhow::Result<bool> {
    match address {
        StoreAddress::Sqlite(path) if path.exists() => {
            let labels = Labels::open(path)?;
            let elsewhere =
                matches!(labels.partition()?, Partition::Label(rows_label) if rows_label != label);
            Ok(elsewhere && !labels.has_rows(label)?)
        }
        _ => Ok(false),
    }
}

/// Makes the rows carry `label`, unless that would take them from another label that is linked to them.
fn move_rows(workspace: &Workspace, path: &Path, shown: &str, label: &str) -> anyhow::Result<()> {
    let address = StoreAddress::Sqlite(path.to_owned());
    let app = &workspace.app.name;
    if let Some(other) = workspace.links_to(&address)?.into_iter().find(|other| other.label != label) {
        let unlinkable = workspace.config.links()?.iter().any(|link| link.label == other.label);
        let hint = if unlinkable {
            format!("unlink it first: `{} unlink key-value {} --app {app}`", program(), other.label)
        } else {
            format!(
                "Spin links the label \"{}\" to it by itself, unless runtime-config.toml links that label elsewhere",
                other.label
            )
        };
        return Err(taken(shown, &format!("app \"{app}\""), &other.label).hint(hint).into());
    }
    if !path.exists() {
        return Ok(());
    }
    let mut labels = Labels::open(path)?;
    let own = absolute(workspace.config.path());
    let owner = configuration_of(path);
    let mut elsewhere = labels.linked_from()?;
    elsewhere.extend(owner.clone());
    for config in elsewhere.iter().filter(|config| **config != own) {
        if let Some(other) = label_elsewhere(config, &address).filter(|other| other != label) {
            return Err(taken(shown, &name_of_app(config), &other)
                .hint(format!(
                    "link it with the label \"{other}\" here too, or unlink it there; nothing was changed"
                ))
                .into());
        }
    }
    if let Partition::Several(several) = labels.partition()?
        && !several.iter().any(|other| other == label)
    {
        return Err(failure(format!(
            "Key value store \"{shown}\" has entries under several labels: {}",
            several.join(", ")
        ))
        .hint("link it with one of them; nothing was changed")
        .into());
    }
    let note = (owner.as_ref() != Some(&own)).then_some(own.as_path());
    Ok(labels.adopt(label, note)?)
}

fn taken(shown: &str, app: &str, label: &str) -> crate::terminal::Failure {
    failure(format!(
        "Key value store \"{shown}\" is linked to {app} with the label \"{label}\", and its entries can only have one: \
         Spin keeps the entries of an SQLite file by label"
    ))
}

/// The configuration file of the app in whose `.spin` folder the store is.
fn configuration_of(store: &Path) -> Option<PathBuf> {
    let state = store.ancestors().find(|folder| folder.ends_with(".spin"))?;
    Some(state.with_file_name("runtime-config.toml"))
}

/// The label with which another configuration file links the store, if it still does.
fn label_elsewhere(config: &Path, address: &StoreAddress) -> Option<String> {
    let links = RuntimeConfig::read(config).ok()?.links().ok()?;
    links.into_iter().find(|link| link.address.leads_to(address)).map(|link| link.label)
}

fn name_of_app(config: &Path) -> String {
    let app = config.parent().context("no folder").and_then(|folder| app::find(Some(folder)));
    match app {
        Ok(app) => format!("app \"{}\" in {}", app.name, app.folder.display()),
        Err(_) => format!("an app by {}", config.display()),
    }
}

//! Making a label mean a store. Spin keeps the entries of an `SQLite` file by label, so they follow the link.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::manifest::FILE;
use spin_app::{RuntimeConfig, StoreAddress, absolute};
use stores::{Labels, Partition, StoreName, crash_point};

use super::durable::Lock;
use super::location::{RUNTIME_CONFIG, read_app};
use super::{OpenStore, Workspace};
use crate::terminal::{Failure, Printer, Warning, failure, program};

impl Workspace {
    /// Makes `label` mean what a person calls `store`, and the store's rows carry the label. A label that means another store
    /// is changed if `may_change` agrees to the question.
    ///
    /// # Errors
    ///
    /// The store does not exist or cannot be opened, is linked that way already, or is linked with another label; nothing was
    /// changed then. Or those of `may_change`.
    pub(crate) fn link(
        &mut self,
        label: &str,
        store: &str,
        may_change: impl FnOnce(&str) -> anyhow::Result<bool>,
        printer: Printer,
    ) -> anyhow::Result<()> {
        let app = self.app.name.clone();
        let address = self.stores.resolve(store)?;
        if !self.exists(&address) {
            return Err(failure(format!("Key value store \"{store}\" does not exist"))
                .hint(if StoreName::parse(store).is_ok() {
                    format!("`{0} kv create {store}` creates it; `{0} kv list` lists the stores", program())
                } else {
                    format!("`{} kv list` lists the stores; a path must lead to an existing file", program())
                })
                .into());
        }
        let shown = self.shown(&address)?;
        let former = self.config.links.get(label);
        let already = former.is_some_and(|former| former.leads_to(&address));
        if already && !rows_are_misplaced(&address, label)? {
            return Err(failure(format!(
                "Key value store \"{shown}\" is already linked to app \"{app}\" with the label \"{label}\""
            ))
            .into());
        }
        if let Some(former) = former.filter(|_| !already) {
            let former = self.shown(former)?;
            let question = format!(
                "App \"{app}\"'s \"{label}\" label is currently linked to \"{former}\". Change to link to key value store \"{shown}\" instead?"
            );
            if !may_change(&question)? {
                printer.message("The link has not been updated");
                return Ok(());
            }
        }
        // Until the link is saved: another app could not see it before, and would take the rows under a label of its own.
        let _lock = match &address {
            StoreAddress::Sqlite(path) if path.exists() => Some(
                Lock::of_store(path)
                    .with_context(|| format!("cannot lock the folder of {}", path.display()))?,
            ),
            _ => None,
        };
        match &address {
            StoreAddress::Sqlite(path) => self.move_rows(path, &shown, label)?,
            StoreAddress::Redis(_) => OpenStore::open(&address, "")?.check()?,
            StoreAddress::Cloud(_) | StoreAddress::Elsewhere(_) => {}
        }
        crash_point("link:moved");
        self.change_links(|config| config.link(label, &address))?;
        crash_point("link:saved");
        printer.message(format_args!(
            "Key value store \"{shown}\" is now linked to app \"{app}\" with the label \"{label}\""
        ));
        if let StoreAddress::Cloud(_) = address {
            printer.warn(&Warning::LinkNeedsSpin { label: label.to_owned() });
        }
        if !self.app.labels().contains(label) {
            printer.warn(&Warning::LabelNotGranted { app, label: label.to_owned() });
        }
        Ok(())
    }

    /// Makes the rows carry `label`, unless that would take them from another label that is linked to them.
    fn move_rows(&self, path: &Path, shown: &str, label: &str) -> anyhow::Result<()> {
        let address = StoreAddress::Sqlite(path.to_owned());
        let app = &self.app.name;
        if let Some(other) = self.labels_of(&address).into_iter().find(|other| other != label) {
            let hint = if self.config.links.contains_key(&other) {
                format!("unlink it first: `{} unlink key-value {other} --app {app}`", program())
            } else {
                format!(
                    "Spin links the label \"{other}\" to it automatically, unless {RUNTIME_CONFIG} links that label to another store"
                )
            };
            return Err(taken(shown, &format!("app \"{app}\""), &other).hint(hint).into());
        }
        if !path.exists() {
            return Ok(());
        }
        let mut labels = Labels::open(path)?;
        let own = absolute(&self.config.path);
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

fn taken(shown: &str, app: &str, label: &str) -> Failure {
    failure(format!(
        "Key value store \"{shown}\" is linked to {app} with the label \"{label}\", and it can have only one label: \
         Spin keeps the entries of an SQLite file by label"
    ))
}

/// The configuration file of the app in whose `.spin` folder the store is.
fn configuration_of(store: &Path) -> Option<PathBuf> {
    let state = store.ancestors().find(|folder| folder.ends_with(".spin"))?;
    Some(state.with_file_name(RUNTIME_CONFIG))
}

/// The label with which another configuration file links the store, if it still does.
fn label_elsewhere(config: &Path, address: &StoreAddress) -> Option<String> {
    let links = RuntimeConfig::load(config).ok()?.links;
    links.into_iter().find(|(_, linked)| linked.leads_to(address)).map(|(label, _)| label)
}

fn name_of_app(config: &Path) -> String {
    match read_app(&config.with_file_name(FILE)) {
        Ok(app) => format!("app \"{}\" in {}", app.name, app.folder.display()),
        Err(_) => format!("the app configured by {}", config.display()),
    }
}

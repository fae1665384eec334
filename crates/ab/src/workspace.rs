//! The folder of an app: its manifest, its links and its stores.

/// How files are written without ever being left half written.
pub(crate) mod durable;
mod linking;
mod location;
mod open_store;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use spin_app::variables::Providers;
use spin_app::{Fault, Manifest, RuntimeConfig, StoreAddress};
use stores::{Directory, Labels, Partition, StoreName};

use self::durable::Lock;
pub(crate) use self::location::Location;
pub(crate) use self::open_store::OpenStore;
use crate::terminal::{Printer, Warning, failure, program};

/// The file to lock while links or stores change.
const LOCK: &str = ".spin/ab.lock";

/// Which store a person means.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// By its name, path or URL.
    Store(String),
    /// By the label under which an app opens it.
    Label { label: String, app: Option<String> },
}

/// A store, found by what a person said.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedStore {
    /// How messages call it.
    pub(crate) shown: String,
    /// Where it is.
    pub(crate) address: StoreAddress,
    /// The label that links it.
    pub(crate) label: Option<String>,
}

/// An app, its links and its stores.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) app: Manifest,
    pub(crate) config: RuntimeConfig,
    pub(crate) stores: Directory,
    /// What gives the app's variables their values.
    pub(crate) variables: Providers,
    _lock: Option<Lock>,
}

impl Workspace {
    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// There is no app, or its manifest or configuration cannot be read.
    pub(crate) fn open(location: &Location) -> anyhow::Result<Self> {
        let app = location.app()?;
        Self::read(app, location, None)
    }

    /// Reads what is there and keeps other runs of this program from changing it.
    ///
    /// # Errors
    ///
    /// As [`Workspace::open`], and when the folder cannot be written.
    pub(crate) fn open_to_change(location: &Location) -> anyhow::Result<Self> {
        let app = location.app()?;
        let file = app.folder.join(LOCK);
        let lock = Lock::acquire(&file).with_context(|| format!("cannot lock {}", file.display()))?;
        Self::read(app, location, Some(lock))
    }

    fn read(app: Manifest, location: &Location, lock: Option<Lock>) -> anyhow::Result<Self> {
        let config = RuntimeConfig::load(&location.runtime_config(&app))?;
        let stores = Directory::of(&app.folder);
        Ok(Self { app, config, stores, variables: Providers::new(BTreeMap::new()), _lock: lock })
    }

    /// The store of each label: all links, and the one that Spin makes by itself for the label `default`.
    pub(crate) fn links(&self) -> BTreeMap<String, StoreAddress> {
        self.config.stores(&self.app)
    }

    /// The labels that mean the store at `address`.
    pub(crate) fn labels_of(&self, address: &StoreAddress) -> Vec<String> {
        let links = self.links().into_iter().filter(|(_, linked)| linked.leads_to(address));
        links.map(|(label, _)| label).collect()
    }

    /// Changes the links of the runtime configuration file, in one step.
    ///
    /// # Errors
    ///
    /// Those of `change`, and the file cannot be written; it is as it was.
    pub(crate) fn change_links(
        &mut self,
        change: impl FnOnce(&mut RuntimeConfig) -> Result<(), Fault>,
    ) -> anyhow::Result<()> {
        change(&mut self.config)?;
        let path = &self.config.path;
        durable::replace(path, self.config.text().as_bytes())
            .with_context(|| format!("cannot write {}; the links are unchanged", path.display()))
    }

    /// Agrees to `name`, or to none given: a folder has one app.
    ///
    /// # Errors
    ///
    /// The app here has another name.
    pub(crate) fn expect_app(&self, name: Option<&str>) -> anyhow::Result<()> {
        let own = &self.app.name;
        match name {
            Some(name) if name != own => {
                Err(failure(format!("there is no app \"{name}\" here: the app of this folder is \"{own}\""))
                    .hint("leave --app out, or name another app's folder with --from")
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// The value that a variable of the app has, where `up` is told nothing else. `None` if the app has no such variable, or it
    /// has no value.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.variables.value(&self.app, name)
    }

    /// How messages call the store at `address`.
    ///
    /// # Errors
    ///
    /// The folder of stores cannot be read.
    pub(crate) fn shown(&self, address: &StoreAddress) -> anyhow::Result<String> {
        Ok(self.stores.shown(address)?)
    }

    /// Whether there is a store at `address`. A linked one always is: the app makes its file when it first opens it.
    pub(crate) fn exists(&self, address: &StoreAddress) -> bool {
        match address {
            StoreAddress::Sqlite(path) => path.exists() || !self.labels_of(address).is_empty(),
            StoreAddress::Redis(_) | StoreAddress::Cloud(_) | StoreAddress::Elsewhere(_) => true,
        }
    }

    /// Finds a store.
    ///
    /// # Errors
    ///
    /// There is none, or the label is not the only one that links it.
    pub(crate) fn find(&self, target: &Target) -> anyhow::Result<ResolvedStore> {
        match target {
            Target::Label { label, app } => {
                self.expect_app(app.as_deref())?;
                let app = &self.app.name;
                let address = self.links().remove(label).ok_or_else(|| {
                    failure(format!("No key value store found with label \"{label}\" for app \"{app}\""))
                        .hint(format!(
                            "link one: `{} link key-value {label} --app {app} --store STORE`",
                            program()
                        ))
                })?;
                let shown = self.shown(&address)?;
                Ok(ResolvedStore { shown, address, label: Some(label.clone()) })
            }
            Target::Store(store) => {
                let address = self.stores.resolve(store)?;
                if !self.exists(&address) {
                    return Err(failure(format!("No key value store found with name \"{store}\""))
                        .hint(format!(
                            "`{0} kv create {store}` creates it; `{0} kv list` lists the stores",
                            program()
                        ))
                        .into());
                }
                let shown = self.shown(&address)?;
                let mut labels = self.labels_of(&address);
                if labels.len() > 1 && matches!(address, StoreAddress::Sqlite(_)) {
                    return Err(failure(format!(
                        "key value store \"{shown}\" is linked with several labels, each with entries of its own: {}",
                        labels.join(", ")
                    ))
                    .hint("choose one with --label")
                    .into());
                }
                Ok(ResolvedStore { shown, address, label: labels.pop() })
            }
        }
    }

    /// Makes an empty `SQLite` store of this name, or gives the Redis database at `redis` the name.
    ///
    /// # Errors
    ///
    /// The name breaks the rule or is taken, or Redis does not answer.
    pub(crate) fn create_store(
        &self,
        name: &str,
        redis: Option<&str>,
        printer: Printer,
    ) -> anyhow::Result<()> {
        let name = StoreName::parse(name)?;
        if let Some(url) = redis {
            OpenStore::open(&StoreAddress::Redis(url.to_owned()), "")?.check()?;
        }
        self.stores.create(&name, redis)?;
        printer.message(format_args!("Key value store \"{name}\" created"));
        Ok(())
    }

    /// Opens a store: what the app sees of it, or would see once it is linked. A linked store needs no `kv create`: its
    /// file is made here, as the app would make it.
    ///
    /// # Errors
    ///
    /// The store cannot be opened, or is of a kind that only Spin can reach.
    #[expect(clippy::unused_self, reason = "only what a workspace found is opened")]
    pub(crate) fn open_store(&self, store: &ResolvedStore, printer: Printer) -> anyhow::Result<OpenStore> {
        let label = match &store.address {
            StoreAddress::Sqlite(path) => label_of_rows(store, path, printer)?,
            StoreAddress::Redis(_) | StoreAddress::Cloud(_) | StoreAddress::Elsewhere(_) => String::new(),
        };
        OpenStore::open(&store.address, &label)
    }
}

/// The label under which the app reads, or will read: that of the link; without one, the label that the rows carry; in a
/// store that never had any, the store's own name, which linking replaces.
fn label_of_rows(store: &ResolvedStore, path: &Path, printer: Printer) -> anyhow::Result<String> {
    let labels = Labels::open(path)?;
    match (store.label.clone(), labels.partition()?) {
        (Some(label), Partition::Label(rows_label)) if label != rows_label && !labels.has_rows(&label)? => {
            printer.warn(&Warning::RowsUnderAnotherLabel {
                store: store.shown.clone(),
                label: label.clone(),
                rows_label,
            });
            Ok(label)
        }
        (Some(label), _) | (None, Partition::Label(label)) => Ok(label),
        (None, Partition::None) => {
            Ok(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default())
        }
        (None, Partition::Several(labels)) => {
            let (shown, labels) = (&store.shown, labels.join(", "));
            Err(failure(format!("key value store \"{shown}\" has entries under several labels: {labels}"))
                .hint(format!(
                    "link it under one of them: `{} link key-value LABEL --store {shown}`",
                    program()
                ))
                .into())
        }
    }
}

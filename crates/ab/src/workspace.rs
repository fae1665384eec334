//! The folder of an app: its manifest, its links and its stores.

pub(crate) mod app;
/// How files are written without ever being left half written.
pub(crate) mod durable;
mod open_store;
mod runtime_config;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::variables::Providers;
use spin_app::{Manifest, StoreAddress, absolute};
use stores::{Directory, Labels, Partition};

use self::durable::Lock;
pub(crate) use self::open_store::OpenStore;
pub(crate) use self::runtime_config::{Link, RuntimeConfig};
use crate::terminal::{Printer, Warning, failure, program};

/// The file beside the manifest that holds the links, unless another is named.
const RUNTIME_CONFIG: &str = "runtime-config.toml";

/// The file to lock while links or stores change.
const LOCK: &str = ".spin/ab.lock";

/// Where the app is, as a person said it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Location {
    /// A manifest or its folder.
    pub(crate) from: Option<PathBuf>,
    /// Another runtime configuration file than `runtime-config.toml` beside the manifest.
    pub(crate) runtime_config_file: Option<PathBuf>,
}

impl Location {
    /// The runtime configuration file of `app`.
    pub(crate) fn runtime_config(&self, app: &Manifest) -> PathBuf {
        self.runtime_config_file.as_deref().map_or_else(|| app.folder.join(RUNTIME_CONFIG), absolute)
    }
}

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
    _lock: Option<Lock>,
}

impl Workspace {
    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// There is no app, or its manifest or configuration cannot be read.
    pub(crate) fn open(location: &Location) -> anyhow::Result<Self> {
        let app = app::find(location.from.as_deref())?;
        Self::read(app, location, None)
    }

    /// Reads what is there and keeps other runs of this program from changing it.
    ///
    /// # Errors
    ///
    /// As [`Workspace::open`], and when the folder cannot be written.
    pub(crate) fn open_to_change(location: &Location) -> anyhow::Result<Self> {
        let app = app::find(location.from.as_deref())?;
        let file = app.folder.join(LOCK);
        let lock = Lock::acquire(&file).with_context(|| format!("cannot lock {}", file.display()))?;
        Self::read(app, location, Some(lock))
    }

    fn read(app: Manifest, location: &Location, lock: Option<Lock>) -> anyhow::Result<Self> {
        let config = RuntimeConfig::read(&location.runtime_config(&app))?;
        Ok(Self { stores: Directory::of(&app.folder), app, config, _lock: lock })
    }

    /// All links, also the one that Spin makes by itself for the label `default`.
    ///
    /// # Errors
    ///
    /// The configuration has an entry that Spin would not take.
    #[expect(clippy::unnecessary_wraps, reason = "callers are about to change")]
    pub(crate) fn links(&self) -> anyhow::Result<Vec<Link>> {
        let stores = self.config.file.stores(&self.app);
        Ok(stores.into_iter().map(|(label, address)| Link { label, address }).collect())
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

    /// The value that a variable of the app has where `up` is told nothing else. `None` if the app has no such variable, or it
    /// has no value.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        Providers::new(BTreeMap::new()).value(&self.app, name)
    }

    /// The links that lead to the store at `address`.
    ///
    /// # Errors
    ///
    /// As [`Workspace::links`].
    pub(crate) fn links_to(&self, address: &StoreAddress) -> anyhow::Result<Vec<Link>> {
        Ok(self.links()?.into_iter().filter(|link| link.address.leads_to(address)).collect())
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
    ///
    /// # Errors
    ///
    /// As [`Workspace::links`].
    pub(crate) fn exists(&self, address: &StoreAddress) -> anyhow::Result<bool> {
        Ok(match address {
            StoreAddress::Sqlite(path) => path.exists() || !self.links_to(address)?.is_empty(),
            StoreAddress::Redis(_) | StoreAddress::Elsewhere(_) => true,
        })
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
                let link = self.links()?.into_iter().find(|link| link.label == *label).ok_or_else(|| {
                    failure(format!("No key value store found with label \"{label}\" for app \"{app}\""))
                        .hint(format!(
                            "link one: `{} link key-value {label} --app {app} --store STORE`",
                            program()
                        ))
                })?;
                let shown = self.shown(&link.address)?;
                Ok(ResolvedStore { shown, address: link.address, label: Some(link.label) })
            }
            Target::Store(store) => {
                let address = self.stores.resolve(store)?;
                if !self.exists(&address)? {
                    return Err(failure(format!("No key value store found with name \"{store}\""))
                        .hint(format!(
                            "`{0} kv create {store}` makes it; `{0} kv list` shows what there is",
                            program()
                        ))
                        .into());
                }
                let shown = self.shown(&address)?;
                let mut links = self.links_to(&address)?;
                if links.len() > 1 && matches!(address, StoreAddress::Sqlite(_)) {
                    let labels: Vec<String> = links.into_iter().map(|link| link.label).collect();
                    return Err(failure(format!(
                        "key value store \"{shown}\" is linked with several labels, each with entries of its own: {}",
                        labels.join(", ")
                    ))
                    .hint("say which with --label")
                    .into());
                }
                Ok(ResolvedStore { shown, address, label: links.pop().map(|link| link.label) })
            }
        }
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
            StoreAddress::Redis(_) | StoreAddress::Elsewhere(_) => String::new(),
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

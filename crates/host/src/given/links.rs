//! Links: which store each label means. They can change while the app runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use spin_app::{Manifest, RuntimeConfig, StoreAddress};
use stores::{Store, StoreError};

/// Why a guest cannot open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The manifest does not grant the label to the component.
    AccessDenied,
    /// The label is not linked.
    NoSuchStore,
}

/// A store could not be opened when its link was applied.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the store linked to the label \"{label}\": {reason}")]
pub struct LinkError {
    label: String,
    reason: StoreError,
}

impl LinkError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        self.reason.hint()
    }
}

/// One label whose meaning changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkChange {
    /// The label now means this store.
    Linked {
        /// The label.
        label: String,
        /// The store, as a person would name it: a path, or a URL without its password.
        store: String,
    },
    /// The label means no store any more.
    Unlinked {
        /// The label.
        label: String,
    },
}

#[derive(Clone)]
struct Link {
    address: StoreAddress,
    store: Store,
}

/// The stores behind the labels that some component of `app` may open.
pub(crate) fn granted(app: &Manifest, config: &RuntimeConfig) -> BTreeMap<String, StoreAddress> {
    let (mut stores, labels) = (config.stores(app), app.labels());
    stores.retain(|label, _| labels.contains(label.as_str()));
    stores
}

/// The links in force. Reading one takes no lock; a guest keeps the store it opened, whatever changes meanwhile.
pub(crate) struct Links {
    current: ArcSwap<BTreeMap<String, Link>>,
}

impl Links {
    /// Opens the store of every label.
    pub(crate) fn open(addresses: &BTreeMap<String, StoreAddress>) -> Result<Self, LinkError> {
        let links = addresses
            .iter()
            .map(|(label, address)| Ok((label.clone(), Link::open(label, address)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self { current: ArcSwap::from_pointee(links) })
    }

    /// The store that `label` means now.
    pub(crate) fn get(&self, label: &str) -> Option<Store> {
        self.current.load().get(label).map(|link| link.store.clone())
    }

    /// Lets go of every store once what is queued is written.
    pub(crate) async fn close(self) {
        for (_, link) in Arc::unwrap_or_clone(self.current.into_inner()) {
            link.store.close().await;
        }
    }

    /// Replaces the links by those of `addresses` and tells what changed. Stores whose link stays are kept open.
    ///
    /// # Errors
    ///
    /// When a store cannot be opened; the links then stay as they were.
    pub(crate) fn apply(
        &self,
        addresses: &BTreeMap<String, StoreAddress>,
    ) -> Result<Vec<LinkChange>, LinkError> {
        let old = self.current.load_full();
        let mut changes = Vec::new();
        let mut links = BTreeMap::new();
        for (label, address) in addresses {
            let kept = old.get(label).filter(|link| link.address == *address);
            let link = if let Some(link) = kept {
                link.clone()
            } else {
                let link = Link::open(label, address)?;
                changes.push(LinkChange::Linked { label: label.clone(), store: link.store.to_string() });
                link
            };
            links.insert(label.clone(), link);
        }
        let unlinked = old.keys().filter(|label| !addresses.contains_key(*label));
        changes.extend(unlinked.map(|label| LinkChange::Unlinked { label: label.clone() }));
        self.current.store(links.into());
        Ok(changes)
    }
}

impl Link {
    fn open(label: &str, address: &StoreAddress) -> Result<Self, LinkError> {
        let store =
            Store::open(address, label).map_err(|reason| LinkError { label: label.to_owned(), reason })?;
        Ok(Self { address: address.clone(), store })
    }
}

//! What the manifest grants a component, and what the app shares with it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spin_app::outbound::AllowedHosts;
use spin_app::variables::{GetError, Variables};
use stores::{Store, StoreError};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::budget::Budget;
use crate::given::links::{Links, OpenError};
use crate::given::models::ModelClient;
use crate::given::output::{Output, Stream};
use crate::observer::{Observer, StoreCall};

/// What a component is granted and what the app shares with it.
pub(crate) struct Grants {
    pub(crate) id: Arc<str>,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) models: BTreeSet<String>,
    pub(crate) hosts: AllowedHosts,
    pub(crate) environment: Vec<(String, String)>,
    /// Folders shown to the component read-only: where they are, and where the component sees them.
    pub(crate) mounts: Vec<(PathBuf, String)>,
    pub(crate) variables: Arc<Variables>,
    pub(crate) links: Arc<Links>,
    pub(crate) model_client: Option<ModelClient>,
    pub(crate) output: Output,
    pub(crate) request_limit: Duration,
    /// The memory that the instances of all components may take together.
    pub(crate) memory: Arc<Budget>,
    /// Who watches the app, if anyone does.
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// Why a component has no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoModel {
    /// The manifest does not grant the model to the component.
    AccessDenied,
    /// The runtime config has none.
    NotConfigured,
}

impl Grants {
    /// A WASI context for a new instance.
    pub(crate) fn wasi(&self) -> wasmtime::Result<WasiCtx> {
        let Grants { id, environment, mounts, output, .. } = self;
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(environment);
        wasi.stdout(output.stream(id.clone(), Stream::Stdout));
        wasi.stderr(output.stream(id.clone(), Stream::Stderr));
        for (folder, guest_path) in mounts {
            wasi.preopened_dir(folder, guest_path, FsPerms::ReadOnly)?;
        }
        Ok(wasi.build())
    }

    /// The store that `label` means now.
    pub(crate) fn open(&self, label: &str) -> Result<Store, OpenError> {
        if !self.labels.contains(label) {
            return Err(OpenError::AccessDenied);
        }
        self.links.get(label).ok_or(OpenError::NoSuchStore)
    }

    /// What `call` comes to, the `operation` of a store. The observer learns how long it took.
    pub(crate) async fn observed<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let start = self.observer.as_ref().map(|_| Instant::now());
        let result = call.await;
        if let (Some(observer), Some(start)) = (&self.observer, start) {
            observer.stored(StoreCall {
                component: &self.id,
                operation,
                elapsed: start.elapsed(),
                is_failed: result.is_err(),
            });
        }
        result
    }

    /// The value of one of the component's variables.
    pub(crate) fn variable(&self, name: &str) -> Result<&str, GetError> {
        self.variables.get(&self.id, name)
    }

    /// The client for `model`.
    pub(crate) fn model_client(&self, model: &str) -> Result<&ModelClient, NoModel> {
        if !self.models.contains(model) {
            return Err(NoModel::AccessDenied);
        }
        self.model_client.as_ref().ok_or(NoModel::NotConfigured)
    }

    /// Whether the manifest allows a request to `host`.
    pub(crate) fn may_call(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.hosts.allows(scheme, host, port)
    }

    /// Whether the manifest allows a request to the app itself: in either scheme, as with Spin.
    pub(crate) fn may_call_itself(&self) -> bool {
        ["http", "https"].iter().any(|scheme| self.hosts.allows_self(scheme))
    }
}

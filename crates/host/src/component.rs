//! One component of an app: its compiled code and what the manifest grants it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spin_app::outbound::AllowedHosts;
use spin_app::variables::{GetError, Variables};
use stores::Store;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::bindings::fermyon::spin::llm;
use crate::bindings::spin::variables::variables;
use crate::guest::Guest;
use crate::limits;
use crate::links::{Links, OpenError};
use crate::models::ModelClient;
use crate::output::{Output, Stream};

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
}

/// A component ready to be instantiated.
pub(crate) struct Component {
    grants: Grants,
    engine: Engine,
    pre: ServicePre<Guest>,
    capacity: Arc<Semaphore>,
}

impl Component {
    pub(crate) fn new(grants: Grants, engine: Engine, pre: ServicePre<Guest>) -> Self {
        Self { grants, engine, pre, capacity: Arc::new(Semaphore::new(limits::CAPACITY)) }
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.grants.id
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn pre(&self) -> &ServicePre<Guest> {
        &self.pre
    }

    /// Places for requests in flight, over all cores.
    pub(crate) fn capacity(&self) -> &Arc<Semaphore> {
        &self.capacity
    }

    /// How long a request may take until its answer begins.
    pub(crate) fn request_limit(&self) -> Duration {
        self.grants.request_limit
    }

    /// A WASI context for a new instance.
    pub(crate) fn wasi(&self) -> wasmtime::Result<WasiCtx> {
        let Grants { id, environment, mounts, output, .. } = &self.grants;
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
        if !self.grants.labels.contains(label) {
            return Err(OpenError::AccessDenied);
        }
        self.grants.links.get(label).ok_or(OpenError::NoSuchStore)
    }

    /// The value of one of the component's variables.
    pub(crate) fn variable(&self, name: &str) -> Result<String, variables::Error> {
        self.grants.variables.get(self.id(), name).map(str::to_owned).map_err(|error| match error {
            GetError::InvalidName(message) => variables::Error::InvalidName(message),
            GetError::Undefined(message) => variables::Error::Undefined(message),
        })
    }

    /// The client for `model`, where the manifest grants the model and the runtime config has one. The messages are
    /// those that Spin's guests see.
    pub(crate) fn model_client(&self, model: &str) -> Result<&ModelClient, llm::Error> {
        if !self.grants.models.contains(model) {
            return Err(llm::Error::InvalidInput(format!(
                "The component does not have access to use '{model}'. To give the component access, add '{model}' \
                 to the 'ai_models' key for the component in your spin.toml manifest"
            )));
        }
        self.grants.model_client.as_ref().ok_or_else(|| {
            llm::Error::RuntimeError(
                "No model is configured: the runtime config has no [llm_compute] with type = \"remote_http\"."
                    .to_owned(),
            )
        })
    }

    /// Whether the manifest allows a request to `host`.
    pub(crate) fn may_call(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.grants.hosts.allows(scheme, host, port)
    }

    /// Whether the manifest allows a request to the app itself: in either scheme, as with Spin.
    pub(crate) fn may_call_itself(&self) -> bool {
        ["http", "https"].iter().any(|scheme| self.grants.hosts.allows_self(scheme))
    }
}

//! A Spin app, loaded and ready to serve.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use spin_app::manifest::{self, FilesMount, Manifest};
use spin_app::outbound::AllowedHosts;
use spin_app::runtime_config::{LlmConfig, RuntimeConfig};
use spin_app::variables::{Providers, Variables};
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::budget::Budget;
use crate::error::LoadError;
use crate::given::grants::Grants;
use crate::given::links::{self, Links};
use crate::given::models::ModelClient;
use crate::given::output::{Output, Printing};
use crate::given::reload::Reload;
use crate::instances::compiled;
use crate::instances::component::Component;
use crate::instances::engine::{self, AddToLinker};
use crate::instances::guest::Guest;
use crate::limits;
use crate::observer::{Busy, Load, Observer};
use crate::requests::routing::Router;
use crate::requests::server::{self, AppInfo, Site};

/// How to run an app.
#[derive(Clone)]
pub struct Settings {
    /// What gives the app's variables their values.
    pub variables: Providers,
    /// Where the model answers, instead of where the runtime config says.
    pub model_url: Option<String>,
    /// Environment variables for every component, after those of the manifest.
    pub environment: Vec<(String, String)>,
    /// Where to append what components print, or nowhere.
    pub log_folder: Option<PathBuf>,
    /// Do not show what components print; it still goes to the log folder.
    pub quiet: bool,
    /// How long a component may take until its answer begins, and a model for one inference.
    pub request_limit: Duration,
    /// Who watches the app, if anyone does.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Settings {
    /// Spin's defaults.
    fn default() -> Self {
        Self {
            variables: Providers::default(),
            model_url: None,
            environment: Vec::new(),
            log_folder: None,
            quiet: false,
            request_limit: Duration::from_hours(1),
            observer: None,
        }
    }
}

/// Refuses by name what this runtime does not support.
///
/// # Errors
///
/// Names the first such thing in the manifest or the runtime configuration.
pub fn check(manifest: &Manifest, config: &RuntimeConfig) -> Result<(), LoadError> {
    match manifest.beyond.iter().chain(&config.beyond).next() {
        Some(fault) => Err(fault.clone().into()),
        None => Ok(()),
    }
}

/// An app whose components are compiled, whose links are open and whose variables have values.
pub struct App {
    manifest: Manifest,
    router: Arc<Router>,
    components: Vec<Arc<Component>>,
    engine: Engine,
    links: Arc<Links>,
    reload: Reload,
    printing: Printing,
    observer: Option<Arc<dyn Observer>>,
}

impl App {
    /// Gives the variables their values, opens the stores and compiles the components, or takes them from the cache in
    /// `.spin/compiled`. `wasi` adds the interfaces of WASI that this crate leaves to the crate `host-wasi`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the app from running, with what to do about it.
    pub fn load(
        manifest: Manifest,
        config: RuntimeConfig,
        settings: &Settings,
        wasi: AddToLinker,
    ) -> Result<Self, LoadError> {
        check(&manifest, &config)?;
        config.check_labels(&manifest)?;
        let variables = Arc::new(Variables::resolve(&manifest, &settings.variables)?);
        let llm = config.llm.clone().map(|llm| match &settings.model_url {
            Some(url) => LlmConfig { url: url.clone(), ..llm },
            None => llm,
        });
        let model_client = llm.map(|llm| ModelClient::new(&llm, settings.request_limit)).transpose()?;
        let links = Arc::new(Links::open(&links::granted(&manifest, &config))?);
        let (output, printing) = Output::start(settings.quiet, settings.log_folder.clone());

        let memory = Budget::new(limits::GUEST_MEMORY);
        let engine = engine::engine(manifest.components.len()).map_err(LoadError::Engine)?;
        let linker = engine::linker(&engine, wasi).map_err(LoadError::Engine)?;
        let compiled = compiled::folder(&manifest.folder);
        let load = |component: &manifest::Component| {
            let pre = compile(&engine, &linker, component, &compiled)?;
            let grants = Grants {
                id: component.id.as_str().into(),
                labels: component.key_value_stores.iter().cloned().collect(),
                models: component.ai_models.iter().cloned().collect(),
                hosts: hosts(component, &variables)?,
                environment: component
                    .environment
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .chain(settings.environment.iter().cloned())
                    .collect(),
                mounts: mounts(component)?,
                variables: variables.clone(),
                links: links.clone(),
                model_client: model_client.clone(),
                output: output.clone(),
                request_limit: settings.request_limit,
                memory: memory.clone(),
                observer: settings.observer.clone(),
            };
            Ok(Arc::new(Component::new(grants, engine.clone(), pre)))
        };
        let components = std::thread::scope(|scope| {
            let loading: Vec<_> =
                manifest.components.iter().map(|component| scope.spawn(|| load(component))).collect();
            loading
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Result<Vec<_>, LoadError>>()
        })?;
        if let Some(observer) = &settings.observer {
            let busy = components.iter().map(|component| component.clone() as Arc<dyn Busy>);
            observer.loaded(&manifest.name, Load(busy.collect()));
        }
        let reload = Reload::new(manifest.clone(), config);
        let router = Arc::new(Router::new(&manifest)?);
        let observer = settings.observer.clone();
        Ok(Self { manifest, router, components, engine, links, reload, printing, observer })
    }

    /// The manifest that was loaded.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Serves the app on `listener` until `shutdown` is done and requests in flight are finished. A changed runtime
    /// config is applied meanwhile.
    ///
    /// # Errors
    ///
    /// When the listener or the threads cannot be used.
    pub fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let Self { manifest, router, components, engine, links, reload, printing, observer } = self;
        let info = AppInfo { name: manifest.name, version: manifest.version };
        let site = Arc::new(Site {
            info,
            components,
            router,
            address: listener.local_addr()?,
            bodies: Budget::new(limits::REQUEST_BODIES),
            observer,
        });
        let ticking = engine::tick(engine);
        let watching = reload.watch(links.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = runtime.block_on(server::serve(site, listener, shutdown));
        drop((ticking, watching));
        // The components are gone by now; only a store that an instance still infers for has other holders.
        if let Some(links) = Arc::into_inner(links) {
            runtime.block_on(links.close());
        }
        drop(runtime);
        printing.finish();
        served
    }
}

fn compile(
    engine: &Engine,
    linker: &Linker<Guest>,
    component: &manifest::Component,
    folder: &Path,
) -> Result<ServicePre<Guest>, LoadError> {
    let id = || component.id.clone();
    let source = component.source.as_deref().unwrap_or(Path::new(""));
    let file = || source.to_owned();
    if !source.is_file() {
        return Err(LoadError::NotBuilt { id: id(), file: file() });
    }
    let code = compiled::load(engine, &component.id, source, folder)
        .map_err(|error| LoadError::InvalidComponent { id: id(), file: file(), error })?;
    let pre =
        linker.instantiate_pre(&code).map_err(|error| LoadError::UnsupportedImport { id: id(), error })?;
    ServicePre::new(pre).map_err(|error| LoadError::NotAService { id: id(), error })
}

/// The hosts that `component` may call: over HTTP, for this runtime speaks no other protocol.
fn hosts(component: &manifest::Component, variables: &Variables) -> Result<AllowedHosts, LoadError> {
    let hosts = AllowedHosts::resolve(&component.allowed_outbound_hosts, variables)?;
    match hosts.beyond_http() {
        Some(host) => Err(LoadError::HostNeedsSpin { id: component.id.clone(), host: host.to_owned() }),
        None => Ok(hosts),
    }
}

/// The folders that `component` sees.
fn mounts(component: &manifest::Component) -> Result<Vec<(PathBuf, String)>, LoadError> {
    let needs_spin = |what: String| LoadError::FilesNeedSpin { id: component.id.clone(), what };
    if let Some(pattern) = component.exclude_files.first() {
        return Err(needs_spin(format!("exclude_files = [\"{pattern}\"]")));
    }
    let mount = |files: &FilesMount| match files {
        FilesMount::Pattern(pattern) => Err(needs_spin(format!("files = [\"{pattern}\"]"))),
        FilesMount::Placement { source, destination } if source.is_dir() => {
            Ok((source.clone(), destination.clone()))
        }
        FilesMount::Placement { source, .. } if source.exists() => {
            Err(needs_spin(format!("the single file {} in files", source.display())))
        }
        FilesMount::Placement { source, .. } => {
            Err(LoadError::NoFolder { id: component.id.clone(), folder: source.clone() })
        }
    };
    component.files.iter().map(mount).collect()
}

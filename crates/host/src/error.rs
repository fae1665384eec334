//! Why an app cannot be loaded.

use std::path::PathBuf;

use spin_app::outbound::AllowedHostError;
use spin_app::route::RouteError;
use spin_app::runtime_config::UnknownLabels;
use spin_app::variables::VariablesError;
use spin_app::{Fault, FileError};

use crate::given::links::LinkError;
use crate::given::models::ModelError;

/// Why an app cannot be loaded. [`LoadError::hint`] tells what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The manifest or the runtime configuration cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// One of them asks for something that this runtime does not support.
    #[error(transparent)]
    Beyond(#[from] Fault),
    /// A route of the manifest cannot be served.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A label that a component opens is not linked.
    #[error(transparent)]
    UnknownLabels(#[from] UnknownLabels),
    /// A variable has no value, or a wrong one.
    #[error(transparent)]
    Variables(#[from] VariablesError),
    /// An entry of `allowed_outbound_hosts` cannot be used.
    #[error(transparent)]
    Outbound(#[from] AllowedHostError),
    /// A store cannot be opened.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The model's address cannot be used.
    #[error("[llm_compute]: {0}")]
    Model(#[from] ModelError),
    /// A component's file is not there.
    #[error("the component \"{id}\" is not built: there is no {}", file.display())]
    NotBuilt {
        /// The component.
        id: String,
        /// Where the manifest says that it is.
        file: PathBuf,
    },
    /// A component's file is not a component.
    #[error("{} of the component \"{id}\" is not a WebAssembly component: {error}", file.display())]
    InvalidComponent {
        /// The component.
        id: String,
        /// Its file.
        file: PathBuf,
        /// What wasmtime says.
        error: wasmtime::Error,
    },
    /// A component may call a host in a protocol that this runtime does not speak.
    #[error("component \"{id}\": the outbound host \"{host}\" needs Spin")]
    HostNeedsSpin {
        /// The component.
        id: String,
        /// The entry of `allowed_outbound_hosts`.
        host: String,
    },
    /// An entry of `files` is of a kind that this runtime does not show to components.
    #[error("component \"{id}\": {what} needs Spin")]
    FilesNeedSpin {
        /// The component.
        id: String,
        /// The entry.
        what: String,
    },
    /// A folder that a component is to see does not exist.
    #[error("component \"{id}\": the folder {} in files does not exist", folder.display())]
    NoFolder {
        /// The component.
        id: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A component imports what this runtime does not offer.
    #[error("the component \"{id}\" needs Spin: {error:#}")]
    UnsupportedImport {
        /// The component.
        id: String,
        /// The import, as wasmtime names it.
        error: wasmtime::Error,
    },
    /// A component does not export the HTTP handler of WASI 0.3.
    #[error("the component \"{id}\" needs Spin: it does not export wasi:http/handler@0.3.0: {error:#}")]
    NotAService {
        /// The component.
        id: String,
        /// What wasmtime says.
        error: wasmtime::Error,
    },
    /// The engine cannot be set up on this machine.
    #[error("cannot set up the WebAssembly engine: {0:#}")]
    Engine(wasmtime::Error),
}

impl LoadError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Beyond(fault) => Some(fault.hint.clone()),
            Self::Variables(error) => error.hint(),
            Self::UnknownLabels(error) => Some(error.hint()),
            Self::Outbound(error) => error.hint(),
            Self::HostNeedsSpin { .. } => Some("run this app with `spin up`, or remove the host".to_owned()),
            Self::FilesNeedSpin { .. } => {
                Some("mount a folder: files = [{ source = \"FOLDER\", destination = \"/\" }]".to_owned())
            }
            Self::NotBuilt { .. } => Some("build the app first: `cargo ab build` or `spin build`".to_owned()),
            Self::UnsupportedImport { .. } => {
                Some("run it on Spin 4.1, or without what it imports".to_owned())
            }
            Self::NotAService { .. } => {
                Some("build it with spin-sdk 7 for wasm32-wasip2, or run it on Spin".to_owned())
            }
            Self::Link(error) => error.hint().map(str::to_owned),
            Self::Model(error) => error.hint().map(str::to_owned),
            Self::InvalidComponent { .. } => {
                Some("build it again; `source` in the manifest names the file".to_owned())
            }
            Self::NoFolder { .. } => {
                Some("make the folder, or correct the component's `files` in the manifest".to_owned())
            }
            Self::Route(_) | Self::Engine(_) => None,
        }
    }
}

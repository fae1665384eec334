//! `up`.

mod announce;
mod credentials;
mod missing;
mod settings;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;
use host::Settings;
use spin_app::variables::Providers;

use crate::model;
use crate::prepare::{build, offline, seed, tally};
use crate::terminal::{Printer, Warning, failure, signal};
use crate::workspace::{Location, Workspace};

/// The variable for the share of sentences that every variant answers: all of them while that costs nothing.
const SHADOW: &str = "shadow";

/// What to serve, and how.
#[derive(Debug, Clone)]
pub(crate) struct Up {
    pub(crate) location: Location,
    pub(crate) listen: SocketAddr,
    /// Environment variables for all components.
    pub(crate) environment: Vec<(String, String)>,
    /// Variables of the app, by name.
    pub(crate) variables: Vec<(String, String)>,
    /// Build the components first.
    pub(crate) build: bool,
    /// Do not show what the components print.
    pub(crate) quiet: bool,
    /// Where to keep what the components print, unless it is `.spin/logs` beside the manifest.
    pub(crate) log_folder: Option<PathBuf>,
}

/// Builds the app and serves it until it is interrupted.
///
/// # Errors
///
/// The app cannot be built or served.
pub(crate) fn run(up: Up, printer: Printer) -> anyhow::Result<()> {
    if let Some(absent) = up.location.runtime_config_file.as_deref().filter(|path| !path.exists()) {
        return Err(failure(format!("there is no runtime config at {}", absent.display()))
            .hint("--runtime-config-file takes a file such as the runtime-config.toml beside spin.toml")
            .into());
    }
    let workspace = Workspace::open(&up.location)?;
    host::check(&workspace.app, &workspace.config)?;
    let mut variables = Providers::new(up.variables.into_iter().collect());
    for name in variables.undeclared(&workspace.app) {
        printer.warn(&Warning::UndeclaredVariable { name: name.to_owned() });
    }
    let credentials = credentials::make(&workspace.app, &mut variables);
    settings::check(&workspace, &variables)?;
    drop(workspace);
    // A port in use is told before a build, not after.
    let listener = listen(up.listen)?;
    missing::ask_or_explain(&up.location, printer)?;
    let workspace = Workspace::open(&up.location)?;
    tally::run(&workspace, printer)?;
    let Workspace { app, config, .. } = workspace;
    if up.build {
        build::run(&app, &[], printer)?;
    }

    let asked = model::server::configured(&app, &variables, None)?;
    // A server of one's own comes before what [llm_compute] says.
    let llm = config.llm.as_ref().filter(|_| asked.is_none());
    let offline = offline::start(llm, printer)?;
    if offline.is_some() && app.variables.contains_key(SHADOW) && variables.given(SHADOW).is_none() {
        variables.give(SHADOW, "1".to_owned());
    }
    let model = model::summary(&app, &variables, asked.as_ref(), llm);
    seed::run(&app, &config.links, printer)?;

    let settings = Settings {
        variables,
        model_url: offline.as_ref().map(|offline| offline.url.clone()),
        environment: up.environment,
        log_folder: Some(up.log_folder.unwrap_or_else(|| app.folder.join(".spin").join("logs"))),
        quiet: up.quiet,
        ..Settings::default()
    };
    let served = host::App::load(app, config, &settings)?;
    announce::print(
        served.manifest(),
        listener.local_addr()?,
        credentials.as_ref(),
        offline.as_ref(),
        model.as_deref(),
        printer,
    );
    served.serve(listener, interrupted()).context("cannot serve")?;
    Ok(())
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        match error.kind() {
            ErrorKind::AddrInUse => failure(format!("{address} is in use by another program"))
                .hint("stop it, or choose another address with --listen; port 0 takes a free one"),
            ErrorKind::PermissionDenied => failure(format!("this user may not listen at {address}"))
                .hint("choose a port from 1024 on with --listen"),
            _ => failure(format!("cannot listen at {address}: {error}"))
                .hint("choose an address of this machine with --listen, such as 127.0.0.1:3000"),
        }
        .into()
    })
}

/// Completes when the app is told to stop. Told again, the process ends at once.
async fn interrupted() {
    // A limit that nobody has set is none.
    let _ = signal::outlive_file_limits();
    let wait = || async {
        match signal::interruption() {
            Ok(interrupted) => interrupted.await,
            Err(_) => std::future::pending().await,
        }
    };
    wait().await;
    tokio::spawn(async move {
        wait().await;
        std::process::exit(130);
    });
}

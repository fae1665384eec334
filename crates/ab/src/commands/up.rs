//! `up`.

mod announce;
mod credentials;
mod missing;
mod settings;
mod telemetry;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;
use host::Settings;
use spin_app::variables::Providers;

use crate::model;
use crate::prepare::{build, offline, seed, tally};
use crate::terminal::{Printer, Warning, failure, signal};
use crate::workspace::{Location, Workspace};

/// What is otherwise while an answer costs nothing: every variant answers every sentence, and there may be any number of new ones.
const WHILE_FREE: [(&str, &str); 4] =
    [("shadow", "1"), ("model_concurrency", "0"), ("fresh_per_address", "0"), ("fresh_in_all", "0")];

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
    /// Do not show the components' output.
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
    let telemetry = telemetry::Telemetry::start(printer)?;
    let credentials = credentials::make(&workspace.app, &mut variables);
    settings::check(&workspace, &variables)?;
    drop(workspace);
    // A port in use is told before a build, not after.
    let listener = listen(up.listen)?;
    missing::ask_or_explain(&up.location, printer)?;
    let mut workspace = Workspace::open(&up.location)?;
    workspace.variables = variables;
    tally::run(&workspace, printer)?;
    let Workspace { app, config, mut variables, .. } = workspace;
    if up.build {
        build::run(&app, &[], printer)?;
    }

    let asked = model::server::configured(&app, &variables, None)?;
    // A server of one's own comes before what [llm_compute] says.
    let llm = config.llm.as_ref().filter(|_| asked.is_none());
    let offline = offline::start(llm, printer)?;
    for (name, value) in WHILE_FREE {
        if offline.is_some() && app.variables.contains_key(name) && variables.given(name).is_none() {
            variables.give(name, value.to_owned());
        }
    }
    let model = model::summary(&app, &variables, asked.as_ref(), llm);
    seed::run(&app, &config.links, printer)?;

    let settings = Settings {
        variables,
        model_url: offline.as_ref().map(|offline| offline.url.clone()),
        environment: up.environment,
        log_folder: Some(up.log_folder.unwrap_or_else(|| app.folder.join(".spin").join("logs"))),
        quiet: up.quiet,
        observer: telemetry.observer(),
        ..Settings::default()
    };
    let served = host::App::load(app, config, &settings, host_wasi::add_to_linker)?;
    let announcement = announce::text(
        served.manifest(),
        listener.local_addr()?,
        credentials.as_ref(),
        offline.as_ref(),
        model.as_deref(),
    );
    served.serve(listener, interrupted(|| printer.message(announcement))).context("cannot serve")?;
    telemetry.finish();
    Ok(())
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        match error.kind() {
            ErrorKind::AddrInUse => failure(format!("{address} is in use by another program"))
                .hint("stop it, or choose another address with --listen; port 0 takes a free one"),
            ErrorKind::PermissionDenied => failure(format!("this user may not listen at {address}"))
                .hint("choose port 1024 or above with --listen"),
            _ => failure(format!("cannot listen at {address}: {error}"))
                .hint("choose an address of this machine with --listen, such as 127.0.0.1:3000"),
        }
        .into()
    })
}

/// Completes when the app is told to stop. Told again, the process ends at once. `ready` is called once being told to stop has this
/// effect, so that whoever waits for the announcement can stop the app.
async fn interrupted(ready: impl FnOnce()) {
    // A limit that nobody has set is none.
    let _ = signal::outlive_file_limits();
    let first = signal::interruption();
    ready();
    wait(first).await;
    tokio::spawn(async {
        wait(signal::interruption()).await;
        std::process::exit(130);
    });
}

/// Waits for ever where the signals cannot be caught.
async fn wait(interruption: io::Result<impl Future<Output = ()>>) {
    match interruption {
        Ok(interrupted) => interrupted.await,
        Err(_) => std::future::pending().await,
    }
}

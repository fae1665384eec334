//! The offline model, where the runtime configuration points at it.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::Request;
use http_client::HttpClient;
use spin_app::Manifest;
use spin_app::runtime_config::LlmConfig;
use spin_app::variables::Providers;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::terminal::{Printer, failure};

/// The token that says: the model meant is the offline one. It opens nothing.
const TOKEN: &str = "offline-model";

/// The variable in which the app is told what answers.
const NOTE: &str = "model_note";

/// How long what listens at the model's address may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most that is read of what it says, in bytes.
const LONGEST_GREETING: usize = 64 * 1024;

/// Where the offline model answers.
pub(crate) struct Offline {
    pub(crate) url: String,
}

/// Starts the offline model where `llm` points at it, or at a free port where that of another process answers: an app must not
/// lose its model when somebody stops another app. It runs as long as this process.
///
/// # Errors
///
/// Its address is not one of this machine, or something else listens there.
pub(crate) fn start(llm: Option<&LlmConfig>, printer: Printer) -> anyhow::Result<Option<Offline>> {
    let Some(llm) = meant(llm) else { return Ok(None) };
    let runtime = runtime()?;
    if let Some(listener) = listen(&runtime, &llm.url)? {
        serve(runtime, listener);
        return Ok(Some(Offline { url: llm.url.clone() }));
    }
    let listener = runtime
        .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("the offline model cannot listen at a free port")?;
    let url = format!("http://{}", listener.local_addr()?);
    printer.message(format_args!(
        "The offline model at {} belongs to another process; this app starts its own.",
        llm.url
    ));
    serve(runtime, listener);
    Ok(Some(Offline { url }))
}

/// Starts the offline model where `llm` points at it, unless one answers there already: enough for a command that soon ends. Says
/// whether the offline model is meant.
///
/// # Errors
///
/// As those of [`start`].
pub(crate) fn ensure(llm: &LlmConfig) -> anyhow::Result<bool> {
    let Some(llm) = meant(Some(llm)) else { return Ok(false) };
    let runtime = runtime()?;
    if let Some(listener) = listen(&runtime, &llm.url)? {
        serve(runtime, listener);
    }
    Ok(true)
}

fn meant(llm: Option<&LlmConfig>) -> Option<&LlmConfig> {
    llm.filter(|llm| llm.auth_token == TOKEN)
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn serve(runtime: Runtime, listener: TcpListener) {
    thread::spawn(move || runtime.block_on(offline_model::serve(listener, std::future::pending())));
}

/// Listens where `url` says; nothing where an offline model answers already.
fn listen(runtime: &Runtime, url: &str) -> anyhow::Result<Option<TcpListener>> {
    let address = address(url)?;
    match runtime.block_on(TcpListener::bind(address)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if runtime.block_on(answers(url)) {
                return Ok(None);
            }
            Err(failure(format!("{address} is in use by another program, not by the offline model"))
                .hint("stop it, or change the port of the url in [llm_compute] of the runtime config; for a real model, change auth_token too")
                .into())
        }
        Err(error) => Err(error).with_context(|| format!("the offline model cannot listen at {address}")),
    }
}

fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let parsed =
        url::Url::parse(url).with_context(|| format!("[llm_compute]: the url \"{url}\" is not a URL"))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    let addresses = (parsed.host_str().unwrap_or_default().trim_matches(['[', ']']), port).to_socket_addrs();
    let loopback =
        addresses.ok().and_then(|mut addresses| addresses.find(|address| address.ip().is_loopback()));
    loopback.ok_or_else(|| {
        failure(format!("[llm_compute]: auth_token = \"{TOKEN}\" means the offline model, but {url} is not on this machine"))
            .hint("give the real model's token, or an address such as http://127.0.0.1:3001")
            .into()
    })
}

/// Whether the offline model answers at `url`.
async fn answers(url: &str) -> bool {
    let Ok(request) = Request::get(url).body(Bytes::new()) else { return false };
    let answer = HttpClient::new().exchange(request, PATIENCE, LONGEST_GREETING).await;
    answer.is_ok_and(|answer| offline_model::identifies_itself(&String::from_utf8_lossy(answer.body())))
}

/// Tells the app, where it wants to know and has not been told otherwise, that the offline model answers.
pub(crate) fn note(app: &Manifest, variables: &mut Providers) {
    if app.variables.contains_key(NOTE) && variables.given(NOTE).is_none() {
        variables.give(NOTE, offline_note());
    }
}

/// What people should know about the model of a configuration; `None` of any but the offline one.
pub(crate) fn note_on(llm: Option<&LlmConfig>) -> Option<String> {
    meant(llm).map(|_| offline_note())
}

fn offline_note() -> String {
    format!("Answers come from the {}.", offline_model::DESCRIPTION)
}

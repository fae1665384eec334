//! The offline model, where the runtime configuration points at it.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use api::settings::OFFLINE_MODEL;
use bytes::Bytes;
use http::Request;
use http_client::HttpClient;
use spin_app::runtime_config::LlmConfig;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::terminal::{Printer, failure};

/// The token that says: the model meant is the offline one. It opens nothing.
const TOKEN: &str = "offline-model";

/// How long what listens at the model's address may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most that is read of what it says, in bytes.
const LONGEST_GREETING: usize = 64 * 1024;

/// Where the offline model answers.
pub(crate) struct Offline {
    pub(crate) url: String,
}

/// Keeps the answers of the offline model and those of a real one apart: each record has the name of its model.
///
/// # Errors
///
/// One of them would answer under a name of the other.
pub(crate) fn check_name(name: &str, is_offline: bool) -> anyhow::Result<()> {
    let failure = match (is_offline, name.trim() == OFFLINE_MODEL) {
        (true, false) => {
            failure(format!("the offline model would answer under the name of another model, `{name}`")).hint(format!(
                "name the server of `{name}` in the variable `model_server` or in [llm_compute] of the runtime config; the \
                 offline model is called `{OFFLINE_MODEL}`"
            ))
        }
        (false, true) => {
            failure(format!("a real model would answer under the name of the offline model, `{OFFLINE_MODEL}`"))
                .hint("give the real model's name in the variable `model`, as with `--variable model=llama3.2`")
        }
        _ => return Ok(()),
    };
    Err(failure.into())
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

/// Whether a runtime configuration means the offline model.
pub(crate) fn is_meant(llm: Option<&LlmConfig>) -> bool {
    meant(llm).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The offline model shares no code with the app, but both say the same of it.
    #[test]
    fn the_offline_model_has_one_name() {
        assert_eq!(OFFLINE_MODEL, offline_model::NAME);
        let note = format!("Answers come from the {}.", offline_model::DESCRIPTION);
        assert_eq!(api::settings::OFFLINE_MODEL_NOTE, note);
    }
}

//! `model`: the offline model alone.

pub(crate) mod check;

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::terminal::{Printer, failure, signal};

/// Serves the offline model until it is interrupted.
///
/// # Errors
///
/// The address cannot be listened at.
pub(crate) fn run(listen: SocketAddr, printer: Printer) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = match TcpListener::bind(listen).await {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(failure(format!("{listen} is in use by another program"))
                    .hint("stop it, or choose another address with --listen; port 0 takes a free one")
                    .into());
            }
            Err(error) => return Err(error).with_context(|| format!("cannot listen at {listen}")),
        };
        let interrupted = signal::interruption()?;
        printer.message(format_args!("Serving the {}", offline_model::DESCRIPTION));
        printer.message(format_args!("Listening at http://{}", listener.local_addr()?));
        Ok(offline_model::serve(listener, interrupted).await?)
    })
}

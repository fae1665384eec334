//! Being told to stop.

use std::io;

use tokio::signal;

/// Completes at SIGINT (Ctrl-C) or SIGTERM. From the call on, neither ends the process by itself.
///
/// # Errors
///
/// The signals cannot be caught. Panics outside a tokio runtime with I/O.
#[cfg(unix)]
pub(crate) fn interruption() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal::unix::signal(signal::unix::SignalKind::interrupt())?;
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at Ctrl-C, which from the call on does not end the process by itself.
///
/// # Errors
///
/// It cannot be caught.
#[cfg(windows)]
pub(crate) fn interruption() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

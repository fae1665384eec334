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

/// From the call on, a write beyond the limit on the size of files (`RLIMIT_FSIZE`) fails, as on a full disk; otherwise it would end the
/// process.
///
/// # Errors
///
/// The signal cannot be caught. Panics outside a tokio runtime with I/O.
#[cfg(unix)]
pub(crate) fn outlive_file_limits() -> io::Result<()> {
    /// `SIGXFSZ`, as Linux, macOS and the BSDs number it.
    const FILE_TOO_LARGE: i32 = 25;
    signal::unix::signal(signal::unix::SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}

/// There are no such limits.
///
/// # Errors
///
/// None.
#[cfg(windows)]
pub(crate) fn outlive_file_limits() -> io::Result<()> {
    Ok(())
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

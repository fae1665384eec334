//! Dying at a chosen point.

/// Ends the process here, as if it were killed, if `AB_CRASH_AT` names this point: tests look at what it leaves behind.
/// Does nothing in release builds.
pub fn crash_point(name: &str) {
    if cfg!(debug_assertions) && std::env::var_os("AB_CRASH_AT").is_some_and(|point| point == name) {
        std::process::abort();
    }
}

//! The memory of a process, as the kernel counts it, in bytes.

use std::fs;
use std::io;

use crate::process::Process;

/// What is resident now.
///
/// # Errors
///
/// The process has ended.
pub fn resident(process: &Process) -> io::Result<u64> {
    status(process, "VmRSS:")
}

/// The most that was ever resident, or since [`forget_peak`].
///
/// # Errors
///
/// The process has ended.
pub fn peak(process: &Process) -> io::Result<u64> {
    status(process, "VmHWM:")
}

/// Lets the kernel find the peak anew (`proc_pid_clear_refs(5)`).
///
/// # Errors
///
/// The process has ended.
pub fn forget_peak(process: &Process) -> io::Result<()> {
    fs::write(format!("/proc/{}/clear_refs", process.id()), "5")
}

fn status(process: &Process, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kibi: u64 = line.trim().trim_end_matches(" kB").trim().parse().map_err(io::Error::other)?;
    Ok(kibi * 1024)
}

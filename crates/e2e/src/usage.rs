//! What a process uses, as the kernel counts it: memory in bytes, and CPU time.

use std::fs;
use std::io;
use std::time::Duration;

use crate::process::Process;

/// The memory that is resident now.
///
/// # Errors
///
/// The process has ended.
pub fn resident(process: &Process) -> io::Result<u64> {
    status(process, "VmRSS:")
}

/// The most memory that was ever resident, or since [`forget_peak`].
///
/// # Errors
///
/// The process has ended.
pub fn peak(process: &Process) -> io::Result<u64> {
    status(process, "VmHWM:")
}

/// Lets the kernel find the peak again (`proc_pid_clear_refs(5)`).
///
/// # Errors
///
/// The process has ended.
pub fn forget_peak(process: &Process) -> io::Result<()> {
    fs::write(format!("/proc/{}/clear_refs", process.id()), "5")
}

/// CPU time so far, of all threads.
///
/// # Errors
///
/// The process has ended.
pub fn cpu(process: &Process) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
    // The second field is the name, which may hold anything but the last closing parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // User and system time are the 14th and 15th field; a tick is 10 ms on every Linux.
    let ticks = |index: usize| fields[index].parse::<u64>().map_err(io::Error::other);
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

fn status(process: &Process, name: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kibi: u64 = line.trim().trim_end_matches(" kB").trim().parse().map_err(io::Error::other)?;
    Ok(kibi * 1024)
}

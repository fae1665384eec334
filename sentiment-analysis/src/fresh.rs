//! New sentences, which ask the model: how many an address may have asked about in an hour, and all together.

use std::{
    cell::Cell,
    fmt,
    time::{Duration, Instant, SystemTime},
};

use api::{address, log::warn};
use experiment::{
    journal::limits::{Admission, Reached, Window},
    spin::Journal,
};
use problem::Problem;
use spin_sdk::{http::HeaderMap, wasip3::spawn};

use crate::{instance::Instance, refusal};

/// How long nothing is counted after that has failed. On Spin a Redis server that is gone is waited for, and answers wait with it.
const PAUSE: Duration = Duration::from_mins(1);

thread_local! {
    /// When counting failed last.
    static FAILED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// What this instance has told of limits, each once.
    static TOLD: Cell<[bool; 2]> = const { Cell::new([false; 2]) };
}

/// Counts a new sentence, or refuses it. Nothing is asked of a store where there are no limits; else the journal is opened, two counters
/// are read, and both are raised if it is let through. A journal that cannot count keeps no answer back.
pub(crate) fn admit(instance: &Instance, headers: &HeaderMap) -> Result<(), Problem> {
    let settings = &instance.settings;
    if settings.limits.are_none() || FAILED.get().is_some_and(|failed| failed.elapsed() < PAUSE) {
        return Ok(());
    }
    let (window, left) = Window::at(SystemTime::now());
    let address = address::of(headers, settings.address_header.as_ref());
    match Journal::open().and_then(|journal| journal.admit(settings.limits, window, &address)) {
        Ok(Admission::Admitted { is_first }) => {
            if is_first {
                forget_counts_before(window);
            }
            Ok(())
        }
        Ok(Admission::Refused(reached)) => {
            let (variable, of) = match reached {
                Reached::PerAddress => ("fresh_per_address", "one address"),
                Reached::InAll => ("fresh_in_all", "all together"),
            };
            tell(
                0,
                format_args!(
                    "the hourly limit of new sentences from {of} is reached: see the variable `{variable}`"
                ),
            );
            Err(refusal::too_many(reached, settings.limits, left))
        }
        Err(error) => {
            FAILED.set(Some(Instant::now()));
            tell(1, format_args!("new sentences are not limited because they cannot be counted: {error}"));
            Ok(())
        }
    }
}

/// Deletes what was counted in earlier hours, once the answer has left.
fn forget_counts_before(window: Window) {
    spawn(async move {
        if let Err(error) = Journal::open().and_then(|journal| journal.forget_counts_before(window)) {
            warn(format_args!("the counters of earlier hours were not deleted: {error}"));
        }
    });
}

/// Writes to the log what this instance has not told yet.
fn tell(what: usize, message: fmt::Arguments<'_>) {
    let mut told = TOLD.get();
    if let Some(told) = told.get_mut(what)
        && !std::mem::replace(told, true)
    {
        warn(message);
    }
    TOLD.set(told);
}

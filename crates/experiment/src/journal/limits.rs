//! How many new sentences strangers may have a model asked about in an hour: each address, and all together.
//!
//! They are counted in the journal, so that the limits hold for all instances of an app that share it. Addresses share a fixed number of
//! counters, by a hash that changes from hour to hour: a counter says nothing about an address, and whoever shares one with somebody
//! who asks a lot does so for an hour at most. An hour's counters are deleted after the next.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The start of the keys of the counters.
const PREFIX: &str = "limit:";

/// The key of the list of windows of which there are counters, as JSON.
pub(super) const HOURS_KEY: &str = "limit:hours";

/// How many counters all addresses share.
const SHARED: u32 = 1_024;

/// How long a window is, in seconds.
const WINDOW: u64 = 3_600;

/// How many new sentences there may be in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one address; `None` for any number.
    pub per_address: Option<u32>,
    /// In all; `None` for any number.
    pub in_all: Option<u32>,
}

impl Limits {
    /// Whether any number is allowed, so that there is nothing to count.
    pub const fn are_none(self) -> bool {
        self.per_address.is_none() && self.in_all.is_none()
    }

    /// Which limit does not allow one more after so many.
    pub fn reached(self, by_address: u64, in_all: u64) -> Option<Reached> {
        let is_reached = |limit: Option<u32>, count| limit.is_some_and(|limit| count >= u64::from(limit));
        if is_reached(self.per_address, by_address) {
            Some(Reached::PerAddress)
        } else {
            is_reached(self.in_all, in_all).then_some(Reached::InAll)
        }
    }
}

/// A limit that allows no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// That of one address.
    PerAddress,
    /// That of all together.
    InAll,
}

/// What became of a new sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may be asked about, and is counted.
    Admitted {
        /// Whether it is the first of its hour: then the counters of earlier ones are to be deleted.
        is_first: bool,
    },
    /// It may not, until the hour is over.
    Refused(Reached),
}

/// An hour in which new sentences are counted: the same one for all whose clocks agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window(u64);

impl Window {
    /// The list that a store holds under [`HOURS_KEY`]; an empty one for any other value.
    pub(super) fn list(value: &[u8]) -> BTreeSet<Self> {
        serde_json::from_slice(value).unwrap_or_default()
    }

    /// The window that a point in time is in, and how long it still lasts: at least a second, in whole ones.
    pub fn at(now: SystemTime) -> (Self, Duration) {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        (Self(seconds / WINDOW), Duration::from_secs(WINDOW - seconds % WINDOW))
    }

    /// The key of the counter of all new sentences.
    pub fn key_of_all(self) -> String {
        format!("{PREFIX}{}:all", self.0)
    }

    /// The key of the counter that an address has, maybe with others.
    pub fn key_of(self, address: &str) -> String {
        let digest = Sha256::new().chain_update(self.0.to_be_bytes()).chain_update(address).finalize();
        let first = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        format!("{PREFIX}{}:{}", self.0, first % SHARED)
    }

    /// The keys of all its counters.
    pub(super) fn keys(self) -> Vec<String> {
        let shared = (0..SHARED).map(|number| format!("{PREFIX}{}:{number}", self.0));
        shared.chain([self.key_of_all()]).collect()
    }

    /// Whether nobody counts in another window any more. Those next to this one are kept, as clocks differ a little.
    pub(super) const fn has_outlived(self, other: Self) -> bool {
        self.0.abs_diff(other.0) > 1
    }
}

/// Whether a key is that of a counter.
pub(super) fn is_counter(key: &str) -> bool {
    key.starts_with(PREFIX) && key != HOURS_KEY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> (Window, Duration) {
        Window::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn windows() {
        assert_eq!(at(7_199), (Window(1), Duration::from_secs(1)));
        assert_eq!(at(7_200), (Window(2), Duration::from_hours(1)));
        assert_eq!(Window::at(SystemTime::UNIX_EPOCH - Duration::from_secs(5)), at(0));
    }

    #[test]
    fn which_limit_is_reached() {
        let limits = |per_address, in_all| Limits { per_address, in_all };
        let cases = [
            (limits(None, None), 1_000, 1_000, None),
            (limits(Some(3), None), 2, 1_000, None),
            (limits(Some(3), None), 3, 3, Some(Reached::PerAddress)),
            (limits(Some(3), Some(3)), 3, 3, Some(Reached::PerAddress)),
            (limits(Some(3), Some(5)), 1, 5, Some(Reached::InAll)),
            (limits(None, Some(5)), 4, 4, None),
        ];
        for (limits, by_address, in_all, reached) in cases {
            assert_eq!(limits.reached(by_address, in_all), reached, "{limits:?}: {by_address}, {in_all}");
        }
        assert!(limits(None, None).are_none() && !limits(None, Some(1)).are_none());
    }

    #[test]
    fn keys_are_bounded_in_number_and_say_nothing_of_an_address() {
        let window = Window(495_231);
        let addresses = (0..20_000_u32).map(|number| std::net::Ipv4Addr::from(number).to_string());
        let keys: BTreeSet<_> = addresses.map(|address| window.key_of(&address)).collect();
        assert_eq!(keys.len(), usize::try_from(SHARED).unwrap());
        assert_eq!(window.key_of_all(), "limit:495231:all");
        // Two addresses that share a counter hardly share the next hour's: one pair in 1,024 does.
        let shared = |hour| Window(hour).key_of("10.0.0.1") == Window(hour).key_of("10.0.1.117");
        assert!((0..100_000).filter(|hour| shared(*hour)).count().abs_diff(98) < 50);
        assert!(!(0..100_000).any(|hour| shared(hour) && shared(hour + 1) && shared(hour + 2)));
    }
}

//! Copying values between kinds of stores.

use crate::{
    counter::{read, value},
    journal, tally,
};

/// A store's value as a Redis store or an `SQLite` one keeps it: counters differ, everything else is the same.
pub fn converted(key: &str, stored: Vec<u8>, in_redis: bool) -> Vec<u8> {
    match read(&stored) {
        Some(number) if is_counter_key(key) => value(number, in_redis),
        _ => stored,
    }
}

/// Whether a counter is kept under this key, in a variant's store or in the journal.
pub fn is_counter_key(key: &str) -> bool {
    tally::is_counter(key) || journal::is_counter(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fingerprint, journal::Round, journal::Stratum};

    #[test]
    fn only_counters_are_converted() {
        let counter = Round::new([Fingerprint::of("a")], "m").counter_key(Stratum::Agree);
        let converted = |key: &str, value: &[u8], in_redis| converted(key, value.to_vec(), in_redis);
        assert_eq!(converted(&counter, &7_i64.to_le_bytes(), true), b"7");
        assert_eq!(converted(&counter, b"-7", false), (-7_i64).to_le_bytes());
        assert_eq!(converted(&counter, b"seven", false), b"seven");
        for key in ["prompt", "12345678", tally::INDEX_KEY, "I am so happy today"] {
            assert_eq!(converted(key, b"12345678", false), b"12345678", "{key}");
        }
    }
}

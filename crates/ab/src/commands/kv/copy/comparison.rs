//! Two stores side by side.

use std::collections::HashSet;
use std::fmt;

use experiment::conversion;
use sha2::{Digest as _, Sha256};
use stores::Store;

use crate::terminal::Printer;
use crate::workspace::OpenStore;

/// How many entries are read and written at once.
const PAGE: usize = 1000;

/// A store and the one that it is copied to.
pub(super) struct Sides {
    pub(super) source: OpenStore,
    pub(super) target: OpenStore,
}

/// An entry of the source, and what the target has under its key.
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) source: Vec<u8>,
    pub(super) target: Option<Vec<u8>>,
}

/// How the target stands to an entry of the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    Differing,
    Same,
}

impl Pair {
    /// Counters are the same if their numbers are.
    pub(super) fn state(&self) -> State {
        match &self.target {
            None => State::Missing,
            Some(target) if *target == self.source => State::Same,
            Some(target) if neutral(&self.key, target) == neutral(&self.key, &self.source) => State::Same,
            Some(_) => State::Differing,
        }
    }
}

/// What two stores have in common.
#[derive(Default)]
pub(super) struct Comparison {
    /// Entries of the source, each counted once.
    pub(super) entries: u64,
    pub(super) same: u64,
    pub(super) differing: u64,
    /// Entries that the target lacks.
    pub(super) missing: u64,
    /// Entries that only the target has.
    pub(super) extra: u64,
    /// Keys of the source that are not text, or hold no string.
    pub(super) left_out: u64,
    pub(super) source_digest: Digest,
    /// Of what the target has under the keys of the source.
    pub(super) target_digest: Digest,
}

impl Sides {
    /// Compares all entries of the source with the target's.
    ///
    /// # Errors
    ///
    /// A store cannot be read.
    pub(super) fn compare(&self, done: &'static str, printer: Printer) -> anyhow::Result<Comparison> {
        let mut comparison = Comparison::default();
        self.walk(done, printer, |page| {
            for pair in page {
                comparison.add(pair);
            }
            Ok(())
        })?;
        let (source, target) = (self.source.ask(Store::count)?, self.target.ask(Store::count)?);
        comparison.left_out = source.saturating_sub(comparison.entries);
        comparison.extra = target.saturating_sub(comparison.same + comparison.differing);
        Ok(comparison)
    }

    /// Visits each entry of the source once, a page at a time, beside the target's, and shows how far it has come.
    ///
    /// # Errors
    ///
    /// The first of `visit`; or a store cannot be read.
    pub(super) fn walk(
        &self,
        done: &'static str,
        printer: Printer,
        mut visit: impl FnMut(&[Pair]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let bar = printer.progress(self.source.ask(Store::count)?).with_message(done);
        let mut seen = self.source.ask(async |store| anyhow::Ok(store.repeats_keys()))?.then(HashSet::new);
        let mut cursor = None;
        loop {
            let (mut entries, next) =
                self.source.ask(async |store| store.entries_page(cursor, PAGE).await)?;
            if let Some(seen) = &mut seen {
                entries.retain(|(key, _)| seen.insert(short_hash(key)));
            }
            let keys: Vec<String> = entries.iter().map(|(key, _)| key.clone()).collect();
            let targets = self.target.ask(async |store| store.get_many(&keys).await)?;
            let pairs = entries.into_iter().zip(targets);
            let page: Vec<Pair> =
                pairs.map(|((key, source), (_, target))| Pair { key, source, target }).collect();
            visit(&page)?;
            bar.inc(page.len() as u64);
            cursor = next;
            if cursor.is_none() {
                bar.finish_and_clear();
                return Ok(());
            }
        }
    }
}

impl Comparison {
    fn add(&mut self, pair: &Pair) {
        self.entries += 1;
        self.source_digest.add(&pair.key, &pair.source);
        if let Some(target) = &pair.target {
            self.target_digest.add(&pair.key, target);
        }
        match pair.state() {
            State::Missing => self.missing += 1,
            State::Differing => self.differing += 1,
            State::Same => self.same += 1,
        }
    }
}

/// A digest of entries, whatever their order: the sum of their SHA-256, in four lanes. Counters of either kind of store have the same.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Digest([u64; 4]);

impl Digest {
    fn add(&mut self, key: &str, value: &[u8]) {
        let mut hash = Sha256::new();
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        hash.update(neutral(key, value));
        for (lane, bytes) in self.0.iter_mut().zip(hash.finalize().as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

/// A value in the form that does not depend on the kind of store.
fn neutral(key: &str, value: &[u8]) -> Vec<u8> {
    conversion::converted(key, value.to_vec(), true)
}

/// Tells keys apart in a fraction of their memory.
fn short_hash(key: &str) -> u128 {
    let hash = Sha256::digest(key);
    hash.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use experiment::Fingerprint;
    use experiment::journal::{Round, Stratum};

    use super::*;

    fn digest(entries: &[(&str, &[u8])]) -> String {
        let mut digest = Digest::default();
        for (key, value) in entries {
            digest.add(key, value);
        }
        digest.to_string()
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let entries = digest(&[("a", b"1"), ("b", b"2")]);
        assert_eq!(entries, digest(&[("b", b"2"), ("a", b"1")]));
        for other in [
            &[("a", &b"1"[..])][..],
            &[("a", b"2"), ("b", b"1")],
            &[("a1", b""), ("b", b"2")],
            &[("a", b"1"), ("b", b"2"), ("", b"")],
        ] {
            assert_ne!(entries, digest(other), "{other:?}");
        }
        // An empty store, and then SHA-256 of eight zeros.
        assert_eq!(digest(&[]), "0".repeat(64));
        assert_eq!(digest(&[("", b"")]), "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
    }

    #[test]
    fn a_counter_is_its_number() {
        let key = Round::new([Fingerprint::of("a")], "m").counter_key(Stratum::Agree);
        assert_eq!(digest(&[(&key, &7_i64.to_le_bytes())]), digest(&[(&key, b"7")]));
        assert_ne!(digest(&[("key", &7_i64.to_le_bytes())]), digest(&[("key", b"7")]));
    }
}

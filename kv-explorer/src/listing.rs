//! Listings of a store's keys, in memory that does not depend on what the client does with them.
//!
//! The host gives keys as a stream, in no promised order. A key stream that is read as slowly as a client reads can hold
//! up every other user of the store, so that each listing reads the stream to its end and only then answers.

use bytes::Bytes;
use std::collections::BinaryHeap;

/// Which keys are asked for.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// What a key must begin with.
    pub(crate) prefix: String,
    /// What a key must hold somewhere; upper and lower case are told apart.
    pub(crate) contains: String,
}

impl Filter {
    /// Whether the key is asked for.
    pub(crate) fn takes(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && key.contains(&self.contains)
    }
}

/// One page of a sorted listing: of all keys that are seen, the smallest ones after a given key. Pages are stable: a key
/// that comes or goes elsewhere moves no other key from one page to the next.
#[derive(Debug)]
pub(crate) struct Page {
    filter: Filter,
    after: Option<String>,
    limit: usize,
    smallest: BinaryHeap<String>,
    /// Keys seen.
    pub(crate) total: usize,
    /// Keys that the filter takes, on this page or not.
    pub(crate) matched: usize,
    /// Keys that the filter takes after the given one.
    remaining: usize,
}

impl Page {
    /// An empty page for at most `limit` keys, which is at least 1.
    pub(crate) fn new(filter: Filter, after: Option<String>, limit: usize) -> Self {
        let smallest = BinaryHeap::with_capacity(limit + 1);
        Self { filter, after, limit, smallest, total: 0, matched: 0, remaining: 0 }
    }

    /// Takes note of a key.
    pub(crate) fn see(&mut self, key: String) {
        self.total += 1;
        if !self.filter.takes(&key) {
            return;
        }
        self.matched += 1;
        if self.after.as_ref().is_some_and(|after| key <= *after) {
            return;
        }
        self.remaining += 1;
        if self.smallest.len() < self.limit {
            self.smallest.push(key);
        } else if let Some(mut largest) = self.smallest.peek_mut()
            && key < *largest
        {
            *largest = key;
        }
    }

    /// Whether there are as many keys as the page may hold.
    pub(crate) fn is_full(&self) -> bool {
        self.smallest.len() == self.limit
    }

    /// The page's keys in order, and whether more follow them.
    pub(crate) fn finish(self) -> (Vec<String>, bool) {
        let more = self.remaining > self.smallest.len();
        (self.smallest.into_sorted_vec(), more)
    }
}

/// Many keys in one block of memory, without an allocation for each.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    text: String,
    ends: Vec<usize>,
}

impl Keys {
    /// How many bytes of keys are kept at most: 64 MiB, a million keys of 64 bytes.
    pub(crate) const CAPACITY: usize = 64 << 20;

    /// Adds a key; `false` where there is no room for it.
    #[must_use]
    pub(crate) fn push(&mut self, key: &str) -> bool {
        if self.text.len() + key.len() > Self::CAPACITY {
            return false;
        }
        self.text.push_str(key);
        self.ends.push(self.text.len());
        true
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key at a position, where there is one.
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        self.text.get(start..*self.ends.get(index)?)
    }

    /// The keys from a position on, at most `count` of them.
    pub(crate) fn slice(&self, start: usize, count: usize) -> Vec<String> {
        (start..self.len().min(start + count))
            .filter_map(|index| self.get(index))
            .map(str::to_owned)
            .collect()
    }
}

/// The contract's listing, `{"store": …, "keys": […]}`, written as keys come, in pieces that are sent as they are.
#[derive(Debug)]
pub(crate) struct Contract {
    full: Vec<Bytes>,
    current: Vec<u8>,
    length: usize,
    first: bool,
}

impl Contract {
    const PIECE: usize = 64 << 10;

    /// The listing of the store under this label.
    pub(crate) fn new(label: &str) -> Self {
        let mut current = Vec::with_capacity(Self::PIECE);
        current.extend_from_slice(b"{\"store\":");
        write_json_string(&mut current, label);
        current.extend_from_slice(b",\"keys\":[");
        Self { full: Vec::new(), current, length: 0, first: true }
    }

    /// Adds a key; `false` where the listing would grow past [`Keys::CAPACITY`].
    #[must_use]
    pub(crate) fn push(&mut self, key: &str) -> bool {
        if self.length + self.current.len() + key.len() > Keys::CAPACITY {
            return false;
        }
        // A piece ends before it would have to move to a larger block; in the worst case a byte is written as six.
        if self.current.len() + 6 * key.len() + 3 > Self::PIECE && !self.current.is_empty() {
            let piece = std::mem::replace(&mut self.current, Vec::with_capacity(Self::PIECE));
            self.length += piece.len();
            self.full.push(piece.into());
        }
        if !self.first {
            self.current.push(b',');
        }
        self.first = false;
        write_json_string(&mut self.current, key);
        true
    }

    /// The answer's body.
    pub(crate) fn finish(mut self) -> Vec<Bytes> {
        self.current.extend_from_slice(b"]}");
        self.full.push(self.current.into());
        self.full
    }
}

fn write_json_string(out: &mut Vec<u8>, text: &str) {
    // Writing text to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// The file name under which a store's export is kept.
pub(crate) fn export_name(label: &str) -> String {
    let plain: String =
        label.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    format!("{plain}.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(
        keys: &[&str],
        filter: (&str, &str),
        after: Option<&str>,
        limit: usize,
    ) -> (Vec<String>, bool, usize) {
        let filter = Filter { prefix: filter.0.to_owned(), contains: filter.1.to_owned() };
        let mut page = Page::new(filter, after.map(str::to_owned), limit);
        for key in keys {
            page.see((*key).to_owned());
        }
        assert_eq!(page.total, keys.len());
        let matched = page.matched;
        let (keys, more) = page.finish();
        (keys, more, matched)
    }

    #[test]
    fn pages() {
        let keys = ["d", "a", "é", "c", "ab", "", "b"];
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        for (filter, after, limit, expected) in [
            (("", ""), None, 3, (owned(&["", "a", "ab"]), true, 7)),
            (("", ""), Some("ab"), 3, (owned(&["b", "c", "d"]), true, 7)),
            (("", ""), Some("d"), 3, (owned(&["é"]), false, 7)),
            (("", ""), Some("é"), 3, (owned(&[]), false, 7)),
            (("", ""), Some(""), 1, (owned(&["a"]), true, 7)),
            (("a", ""), None, 9, (owned(&["a", "ab"]), false, 2)),
            (("a", "b"), None, 9, (owned(&["ab"]), false, 1)),
            (("", "B"), None, 9, (owned(&[]), false, 0)),
        ] {
            assert_eq!(page(&keys, filter, after, limit), expected, "{filter:?} {after:?} {limit}");
        }
    }

    proptest! {
        #[test]
        fn pages_together_are_the_sorted_keys(
            keys in proptest::collection::btree_set(any::<String>(), 0..60),
            limit in 1_usize..20,
        ) {
            let mut seen = Vec::new();
            loop {
                let mut page = Page::new(Filter::default(), seen.last().cloned(), limit);
                keys.iter().rev().cloned().for_each(|key| page.see(key));
                let (found, more) = page.finish();
                seen.extend(found);
                if !more {
                    break;
                }
            }
            prop_assert_eq!(seen, keys.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_contracts_listing_is_json(
            label in any::<String>(),
            keys in proptest::collection::vec(any::<String>(), 0..40),
            long in 0_usize..200_000,
        ) {
            let mut listing = Contract::new(&label);
            let mut keys = keys;
            keys.push("\"".repeat(long));
            prop_assert!(keys.iter().all(|key| listing.push(key)));
            let body: Vec<u8> = listing.finish().concat();
            let expected = serde_json::json!({ "store": label, "keys": keys });
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), expected);
        }

        #[test]
        fn keys_are_kept_as_they_are(keys in proptest::collection::vec(any::<String>(), 0..40)) {
            let mut kept = Keys::default();
            prop_assert!(keys.iter().all(|key| kept.push(key)));
            prop_assert_eq!(kept.slice(0, usize::MAX / 2), keys.clone());
            prop_assert_eq!(kept.get(keys.len()), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mebibyte = "x".repeat(1 << 20);
        let mut keys = Keys::default();
        assert_eq!((0..70).filter(|_| keys.push(&mebibyte)).count(), 64);
        let mut listing = Contract::new("a");
        assert!((0..70).filter(|_| listing.push(&mebibyte)).count() < 65);
    }

    #[test]
    fn file_names() {
        assert_eq!(export_name("case-a"), "case-a.jsonl");
        assert_eq!(export_name("../\"x\"\n"), ".._".to_owned() + "_x__.jsonl");
    }
}

//! What every store promises, tried on each kind of store.

mod redis;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::Future;

use futures::future::{join_all, try_join_all};

use crate::{Store, StoreError};

/// A store in a file of its own, which goes with the folder.
fn sqlite_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::sqlite(&folder.path().join("store.db"), "label").unwrap();
    (folder, store)
}

/// Each of these is a test on `SQLite` and one on Redis.
macro_rules! on_each_store {
    ($($contract:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $contract() {
                let (_folder, store) = super::sqlite_store();
                super::$contract(store).await;
            })+
        }
        mod on_redis {
            $(#[tokio::test]
            async fn $contract() {
                if let Some(server) = e2e::redis_server::RedisServer::start(&[]) {
                    super::$contract(crate::Store::redis(&server.url(0)).unwrap()).await;
                }
            })+
        }
    };
}

on_each_store!(
    keeps_every_key_and_value,
    reads_many_in_the_order_asked_for,
    writes_and_deletes_many,
    sets_only_what_is_missing,
    counts_exactly,
    refuses_to_count_what_is_no_counter,
    swaps_only_what_is_expected,
    swaps_exactly_under_contention,
    lists_a_large_store_while_it_is_written,
    lists_small_stores,
    a_listing_gives_way,
    visits_every_entry_in_order,
    pages_through_every_entry,
    serves_several_runtimes,
);

/// Every operation can be awaited in a task, whichever thread that is on.
#[expect(dead_code, reason = "it need only compile")]
fn futures_are_send(store: &Store) {
    fn check(_: impl Future + Send) {}
    check(store.get("key"));
    check(store.set("key", Vec::new()));
    check(store.increment("key", 1));
    check(store.keys_page(None, 1));
    check(async { crate::Listing::of(store.clone()).next(1).await });
    check(store.get_many(&[]));
}

fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<_> =
        ["", "a", "prompt", "a/b+c=d-e?f#g%2F", "'; DROP TABLE", "\0", "a\0b", "\n", "ä😀", "*", "[a-z]"]
            .map(str::to_owned)
            .into();
    keys.push("k".repeat(1024));
    keys
}

async fn keeps_every_key_and_value(store: Store) {
    let values = [vec![], vec![0], vec![0xff, 0xfe, 0x00], "text\nlines".into(), vec![0xa5; 1 << 20]];
    for key in awkward_keys() {
        assert_eq!(store.get(&key).await, Ok(None), "{key:?}");
        assert_eq!(store.exists(&key).await, Ok(false), "{key:?}");
        for value in &values {
            store.set(&key, value.clone()).await.unwrap();
            assert_eq!(store.get(&key).await.unwrap().as_ref(), Some(value), "{key:?}");
            assert_eq!(store.exists(&key).await, Ok(true), "{key:?}");
        }
    }
    assert_eq!(all_keys(&store, 5).await, awkward_keys().into_iter().collect());
    for key in awkward_keys() {
        store.delete(&key).await.unwrap();
        store.delete(&key).await.unwrap();
        assert_eq!(store.get(&key).await, Ok(None), "{key:?}");
    }
    assert!(all_keys(&store, 5).await.is_empty());
}

async fn reads_many_in_the_order_asked_for(store: Store) {
    for number in 0..6 {
        store.set(&format!("key{number}"), vec![number]).await.unwrap();
    }
    let cases: [&[&str]; 7] = [
        &[],
        &["key3"],
        &["key4", "key1"],
        &["none", "key1"],
        &["key2", "none", "key2"],
        &["key5", "key0", "none", "", "key3", "key1"],
        &["none", "none", "none", "none", "none"],
    ];
    for keys in cases {
        let keys: Vec<_> = keys.iter().map(|&key| key.to_owned()).collect();
        let expected: Vec<_> = keys
            .iter()
            .map(|key| (key.clone(), key.strip_prefix("key").map(|number| vec![number.parse().unwrap()])))
            .collect();
        assert_eq!(store.get_many(&keys).await.unwrap(), expected);
    }
}

async fn writes_and_deletes_many(store: Store) {
    let entries: Vec<_> = awkward_keys().into_iter().map(|key| (key.clone(), key.into_bytes())).collect();
    store.set_many(entries.clone()).await.unwrap();
    store.set_many(Vec::new()).await.unwrap();
    for (key, value) in entries {
        assert_eq!(store.get(&key).await, Ok(Some(value)));
    }
    let twice = [b"first", b"later"].map(|value| ("prompt".to_owned(), value.to_vec()));
    store.set_many(twice.into()).await.unwrap();
    assert_eq!(store.get("prompt").await, Ok(Some(b"later".to_vec())));
    store.delete_many(&[]).await.unwrap();
    store.delete_many(&["none".to_owned(), "prompt".to_owned(), String::new()]).await.unwrap();
    let mut left: BTreeSet<_> = awkward_keys().into_iter().collect();
    left.retain(|key| !["prompt", ""].contains(&key.as_str()));
    assert_eq!(all_keys(&store, 100).await, left);
}

async fn sets_only_what_is_missing(store: Store) {
    store.set("there", b"stays".to_vec()).await.unwrap();
    let mut entries: Vec<_> = awkward_keys().into_iter().map(|key| (key.clone(), key.into_bytes())).collect();
    entries.push(("there".to_owned(), b"replaced".to_vec()));
    store.set_missing(entries.clone()).await.unwrap();
    store.set_missing(Vec::new()).await.unwrap();
    entries.pop();
    for (key, value) in entries {
        assert_eq!(store.get(&key).await, Ok(Some(value)));
    }
    assert_eq!(store.get("there").await, Ok(Some(b"stays".to_vec())));
}

async fn pages_through_every_entry(store: Store) {
    let mut entries: Vec<_> = (0..1200).map(|number| (format!("{number}"), vec![0xff; number % 7])).collect();
    entries.extend(awkward_keys().into_iter().map(|key| (key, b"value".to_vec())));
    store.set_many(entries.clone()).await.unwrap();
    let (mut seen, mut cursor) = (BTreeSet::new(), None);
    loop {
        let (page, next) = store.entries_page(cursor, 100).await.unwrap();
        seen.extend(page);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, entries.into_iter().collect());
}

async fn counts_exactly(store: Store) {
    let sums = try_join_all((0..800).map(|_| store.increment("counter", 1))).await.unwrap();
    assert_eq!(sums.into_iter().collect::<BTreeSet<_>>(), (1..=800).collect());
    assert_eq!(store.increment("counter", -801).await, Ok(-1));
    assert_eq!(store.increment("", 0).await, Ok(0));
    let kept = store.get("counter").await.unwrap().unwrap();
    match store {
        Store::Sqlite(_) => assert_eq!(kept, (-1_i64).to_le_bytes()),
        Store::Redis(_) => assert_eq!(kept, b"-1"),
    }
}

async fn refuses_to_count_what_is_no_counter(store: Store) {
    store.set("text", b"not a counter".to_vec()).await.unwrap();
    let key = "text".to_owned();
    assert_eq!(store.increment("text", 1).await, Err(StoreError::NotACounter { key }));
    assert_eq!(store.get("text").await, Ok(Some(b"not a counter".to_vec())));

    store.increment("large", i64::MAX).await.unwrap();
    let key = "large".to_owned();
    assert_eq!(store.increment("large", 1).await, Err(StoreError::Overflow { key }));
    assert_eq!(store.increment("large", 0).await, Ok(i64::MAX));
}

async fn swaps_only_what_is_expected(store: Store) {
    let (old, new, other) = (vec![0xff, 0], b"new".to_vec(), b"other".to_vec());
    // (there before, expected, whether it swaps)
    let cases = [
        (None, None, true),
        (None, Some(&old), false),
        (Some(&old), None, false),
        (Some(&old), Some(&old), true),
        (Some(&old), Some(&other), false),
        (Some(&vec![]), Some(&vec![]), true),
        (Some(&vec![]), None, false),
    ];
    for (before, expected, swaps) in cases {
        store.delete("key").await.unwrap();
        if let Some(before) = before {
            store.set("key", before.clone()).await.unwrap();
        }
        let swapped = store.compare_and_swap("key", expected.map(Vec::as_slice), new.clone()).await;
        assert_eq!(swapped, Ok(swaps), "{before:?}, {expected:?}");
        let after = if swaps { Some(&new) } else { before };
        assert_eq!(store.get("key").await.unwrap().as_ref(), after, "{before:?}, {expected:?}");
    }
}

async fn swaps_exactly_under_contention(store: Store) {
    store.set("text", Vec::new()).await.unwrap();
    let append = async |letter: u8| {
        loop {
            let old = store.get("text").await.unwrap().unwrap();
            let new = [old.as_slice(), &[letter]].concat();
            if store.compare_and_swap("text", Some(&old), new).await.unwrap() {
                return;
            }
        }
    };
    join_all((0..20).map(append)).await;
    let mut letters = store.get("text").await.unwrap().unwrap();
    letters.sort_unstable();
    assert_eq!(letters, (0..20).collect::<Vec<_>>());
}

async fn lists_a_large_store_while_it_is_written(store: Store) {
    let key = |number: usize| format!("key {number:06}");
    for first in (0..100_000).step_by(10_000) {
        let entries = (first..first + 10_000).map(|number| (key(number), b"value".to_vec())).collect();
        store.set_many(entries).await.unwrap();
    }
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let (page, next) = store.keys_page(cursor, 1000).await.unwrap();
        // Redis gives about as many as it is asked for.
        assert!(page.len() <= 1100, "{}", page.len());
        if let Store::Sqlite(_) = store {
            assert!(page.is_sorted());
        }
        seen.extend(page);
        cursor = next;
        pages += 1;
        // Nothing is held between two pages: a writer gets on.
        store.set(&format!("new {pages}"), Vec::new()).await.unwrap();
        store.delete(&key(pages)).await.unwrap();
        if cursor.is_none() {
            break;
        }
    }
    assert!(pages >= 50, "{pages}");
    let untouched: BTreeSet<_> = (pages + 1..100_000).map(key).collect();
    assert!(seen.is_superset(&untouched));
}

async fn lists_small_stores(store: Store) {
    // A page that is exactly full, one key more, one less; and a limit of none, which must still get on.
    for count in 0..5 {
        for limit in 0..5 {
            assert_eq!(all_keys(&store, limit).await.len(), count, "{limit}");
        }
        store.set(&format!("key{count}"), Vec::new()).await.unwrap();
    }
}

/// A core of the runtime is one thread: what a listing does not give way to waits until its end.
async fn a_listing_gives_way(store: Store) {
    let entries = (0..50_000).map(|number| (format!("key {number:05}"), b"value".to_vec()));
    store.set_many(entries.collect()).await.unwrap();
    let ended = Cell::new(false);
    let list = async {
        let (mut listing, mut keys) = (crate::Listing::of(store.clone()), 0);
        while let Some(page) = listing.next(1000).await.unwrap() {
            keys += page.len();
        }
        ended.set(true);
        keys
    };
    // As many requests as the smallest number of pages, each after what the one before has found.
    let ask = async {
        for number in 0..40 {
            assert!(store.get(&format!("key {number:05}")).await.unwrap().is_some());
            tokio::task::yield_now().await;
        }
        ended.get()
    };
    let (keys, listing_ended_first) = futures::join!(list, ask);
    assert_eq!((keys, listing_ended_first), (50_000, false));
}

async fn all_keys(store: &Store, limit: usize) -> BTreeSet<String> {
    let (mut keys, mut cursor) = (BTreeSet::new(), None);
    loop {
        let (page, next) = store.keys_page(cursor, limit).await.unwrap();
        keys.extend(page);
        match next {
            None => return keys,
            some => cursor = some,
        }
    }
}

async fn visits_every_entry_in_order(store: Store) {
    let visit = async || {
        let mut seen = Vec::new();
        let left_out = store.for_each(|key, value| {
            seen.push((key.to_owned(), value.to_vec()));
            Ok::<_, StoreError>(())
        });
        assert_eq!(left_out.await, Ok(0));
        seen
    };
    assert!(visit().await.is_empty());
    // More than Redis is asked for at once.
    let mut entries: Vec<_> = (0..1200).map(|number| (format!("{number}"), vec![0xff; number % 7])).collect();
    entries.extend(awkward_keys().into_iter().map(|key| (key, b"value".to_vec())));
    store.set_many(entries.clone()).await.unwrap();
    entries.sort();
    assert_eq!(visit().await, entries);
    let keys = entries.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(store.keys().await, Ok((keys, 0)));
    assert_eq!(store.count().await, Ok(entries.len() as u64));

    let mut visits = 0;
    let stopped = store.for_each(|key, _| {
        visits += 1;
        Err(StoreError::NotACounter { key: key.to_owned() })
    });
    assert_eq!(stopped.await, Err(StoreError::NotACounter { key: String::new() }));
    assert_eq!(visits, 1);

    store.clear().await.unwrap();
    assert_eq!((visit().await.len(), store.count().await), (0, Ok(0)));
}

/// As the server does it: one single-threaded runtime per core, all with the same store; and then some have ended.
async fn serves_several_runtimes(store: Store) {
    let work = |store: Store| {
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for _ in 0..100 {
                    let (read, counted) = tokio::join!(store.get("counter"), store.increment("counter", 1));
                    read.unwrap();
                    counted.unwrap();
                }
            });
        })
    };
    for _ in 0..2 {
        let threads: Vec<_> = (0..4).map(|_| work(store.clone())).collect();
        // This runtime stands still meanwhile: the others do not need it.
        for thread in threads {
            thread.join().unwrap();
        }
    }
    assert_eq!(store.increment("counter", 0).await, Ok(800));
    store.close().await;
}

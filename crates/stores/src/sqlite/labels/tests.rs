//! Relabelling, with writers that come late.

use super::*;
use crate::sqlite::{DELETE, ENTRIES, SET};

struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new(rows: &[(&str, &str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Self { path: folder.path().join("x.db"), _folder: folder };
        for (label, key, value) in rows {
            fixture.write(label, key, value);
        }
        fixture
    }

    fn labels(&self) -> Labels {
        Labels::open(&self.path).unwrap()
    }

    fn write(&self, label: &str, key: &str, value: &str) {
        self.labels().connection.execute(SET, [label, key, value]).unwrap();
    }

    fn delete(&self, label: &str, key: &str) {
        self.labels().connection.execute(DELETE, [label, key]).unwrap();
    }

    fn adopt(&self, label: &str) {
        self.labels().adopt(label, None).unwrap();
    }

    fn rows(&self, label: &str) -> String {
        let labels = self.labels();
        let mut select = labels.connection.prepare(ENTRIES).unwrap();
        let entry = |row: &rusqlite::Row<'_>| {
            let value = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
            Ok(format!("{}={value}", row.get::<_, String>(0)?))
        };
        let rows: rusqlite::Result<Vec<_>> = select.query_map([label], entry).unwrap().collect();
        rows.unwrap().join(" ")
    }

    /// Lets the retired labels be older than any request.
    fn age(&self) {
        self.labels()
            .connection
            .execute("UPDATE ab_label SET retired_at = 1 WHERE retired_at > 0", [])
            .unwrap();
    }
}

#[test]
fn the_label_of_the_rows() {
    assert_eq!(Fixture::new(&[]).labels().partition().unwrap(), Partition::None);
    let one = Fixture::new(&[("a", "k", "1"), ("a", "l", "2")]);
    assert_eq!(one.labels().partition().unwrap(), Partition::Label("a".to_owned()));
    let several = Fixture::new(&[("b", "k", "1"), ("", "k", "1"), ("a", "l", "2")]);
    let labels = ["", "a", "b"].map(str::to_owned).to_vec();
    assert_eq!(several.labels().partition().unwrap(), Partition::Several(labels));
    let empty = Fixture::new(&[]);
    empty.adopt("a");
    assert_eq!(empty.labels().partition().unwrap(), Partition::Label("a".to_owned()));
}

#[test]
fn a_write_under_either_label_is_one_under_both() {
    let store = Fixture::new(&[("a", "old", "1"), ("a", "gone", "2")]);
    store.adopt("b");
    assert_eq!(store.rows("a"), "gone=2 old=1", "requests in flight still read their rows");
    store.write("a", "new", "3");
    store.write("a", "old", "4");
    store.delete("a", "gone");
    assert_eq!(store.rows("b"), "new=3 old=4");
    store.write("b", "mine", "5");
    store.write("b", "new", "6");
    store.delete("b", "old");
    assert_eq!((store.rows("a"), store.rows("b")), ("mine=5 new=6".to_owned(), "mine=5 new=6".to_owned()));
}

/// An answer is in flight under the former label while a vote is given under the new one.
#[tokio::test]
async fn a_late_answer_meets_what_was_written_meanwhile() {
    let store = Fixture::new(&[("a", "rain", "unsure")]);
    let late = crate::Store::sqlite(&store.path, "a").unwrap();
    let read = late.get("rain").await.unwrap();
    store.adopt("b");
    let now = crate::Store::sqlite(&store.path, "b").unwrap();
    assert!(now.compare_and_swap("rain", Some(b"unsure"), b"unsure, voted".to_vec()).await.unwrap());
    assert!(!late.compare_and_swap("rain", read.as_deref(), b"negative".to_vec()).await.unwrap());
    assert!(
        late.compare_and_swap("rain", Some(b"unsure, voted"), b"negative, voted".to_vec()).await.unwrap()
    );
    assert_eq!(now.get("rain").await.unwrap().unwrap(), b"negative, voted");
    // Both add to one counter.
    for (number, sum) in [(&now, 1), (&late, 2), (&now, 3), (&late, 4)].into_iter().zip(1..) {
        assert_eq!((number.0.increment("n", 1).await.unwrap(), i64::from(number.1)), (sum, sum));
    }
}

#[test]
fn a_former_label_goes_after_a_while_and_nothing_else_does() {
    let store = Fixture::new(&[("a", "k", "1")]);
    store.adopt("b");
    store.age();
    store.adopt("b");
    assert_eq!((store.rows("a"), store.rows("b")), (String::new(), "k=1".to_owned()));
    store.write("a", "by hand", "2");
    assert_eq!(store.rows("b"), "k=1", "nothing is repeated any more");
}

/// Spin reads its links at the start alone, so a process may use a former label for days.
#[tokio::test]
async fn a_former_label_stays_while_a_process_has_the_store_open() {
    let store = Fixture::new(&[("a", "prompt", "1")]);
    let spin = crate::Store::sqlite(&store.path, "a").unwrap();
    assert_eq!(spin.get("prompt").await.unwrap().unwrap(), b"1");
    for label in ["b", "c", "b"] {
        store.adopt(label);
        store.age();
    }
    store.adopt("b");
    assert_eq!(spin.get("prompt").await.unwrap().unwrap(), b"1");
    spin.set("late", b"2".to_vec()).await.unwrap();
    assert_eq!(store.rows("b"), "late=2 prompt=1");
    spin.close().await;
    store.age();
    store.adopt("b");
    assert_eq!((store.rows("a"), store.rows("c")), (String::new(), String::new()));
    assert_eq!(store.rows("b"), "late=2 prompt=1");
}

#[test]
fn what_an_earlier_version_repeats_is_repeated_once() {
    let store = Fixture::new(&[("a", "k", "1")]);
    store.adopt("b");
    let late = "CREATE TRIGGER ab_late_insert AFTER INSERT ON spin_key_value BEGIN SELECT RAISE(FAIL, 'twice'); END;";
    store.labels().connection.execute_batch(late).unwrap();
    store.adopt("c");
    store.write("a", "l", "2");
    for label in ["a", "b", "c"] {
        assert_eq!(store.rows(label), "k=1 l=2", "{label}");
    }
}

#[test]
fn there_and_back_again() {
    let store = Fixture::new(&[("a", "k", "1")]);
    store.adopt("b");
    store.write("b", "k", "2");
    store.delete("b", "k");
    store.write("b", "l", "3");
    store.adopt("a");
    assert_eq!(store.rows("a"), "l=3", "what was deleted meanwhile does not come back");
    store.write("b", "late", "4");
    assert_eq!(store.rows("a"), "l=3 late=4");
    store.adopt("c");
    store.write("a", "later", "5");
    store.write("b", "last", "6");
    assert_eq!(store.rows("c"), "l=3 last=6 late=4 later=5");
    store.age();
    store.adopt("c");
    assert_eq!(store.rows("c"), "l=3 last=6 late=4 later=5");
    assert_eq!((store.rows("a"), store.rows("b")), (String::new(), String::new()));
}

#[test]
fn rows_that_another_program_wrote_under_the_new_label_stay() {
    let store = Fixture::new(&[]);
    store.adopt("a");
    store.write("a", "k", "1");
    store.write("b", "k", "x");
    store.write("b", "l", "y");
    store.adopt("b");
    assert_eq!(store.rows("b"), "k=1 l=y");
}

#[tokio::test]
async fn what_is_added_late_and_what_is_added_under_the_new_label_are_both_counted() {
    let store = Fixture::new(&[("a", "k", "1")]);
    let late = crate::Store::sqlite(&store.path, "a").unwrap();
    late.increment("n", 1).await.unwrap();
    store.adopt("b");
    let now = crate::Store::sqlite(&store.path, "b").unwrap();
    assert_eq!(now.increment("n", 10).await.unwrap(), 11);
    assert_eq!(late.increment("n", 100).await.unwrap(), 111);
    assert_eq!(now.increment("n", 1_000).await.unwrap(), 1_111);
}

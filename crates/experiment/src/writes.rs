//! Who wrote a record, for stores that cannot say it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last writes of a record, each by a mark that only its writer knows; the newest last.
///
/// Spin's Redis stores (4.1) report every conditional write as failed. A writer who finds its mark in the record knows that it has
/// written, even if others have written since; otherwise it would write again, and what the tallies say of the two would not add up.
/// Records in other stores have no marks.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Writes(VecDeque<String>);

impl Writes {
    /// How many are kept: more than can be made between a write and the look at what came of it. Spin makes a new connection for the
    /// look, some eight round trips in all, and each write that succeeds takes two at least after the one before.
    pub const MOST: usize = 8;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the last one.
    pub fn push(&mut self, mark: String) {
        self.0.push_back(mark);
        while self.0.len() > Self::MOST {
            self.0.pop_front();
        }
    }

    /// Whether the one with this mark is among them.
    pub fn contains(&self, mark: &str) -> bool {
        self.0.iter().any(|other| other == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_kept() {
        let mut writes = Writes::default();
        assert!(writes.is_empty());
        for number in 0..10 {
            writes.push(number.to_string());
        }
        assert_eq!(serde_json::to_string(&writes).unwrap(), r#"["2","3","4","5","6","7","8","9"]"#);
        assert!(writes.contains("2") && !writes.contains("1") && !writes.is_empty());
    }
}

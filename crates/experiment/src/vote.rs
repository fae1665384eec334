//! What visitors say about an answer. Votes are shown and decide nothing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{hex, visitor::VisitorId};

/// How many bytes of a digest tell voters apart.
const DIGEST: usize = 6;

/// Who votes on the answer to a sentence: the first 12 hex digits of a SHA-256 over the visitor and the sentence.
///
/// It tells the voters of one sentence apart, and says neither who they are nor whether they have voted on another sentence. The
/// cookie's 128 random bits cannot be found from it. An address can: whoever has the record and tries all IPv4 addresses finds the one,
/// so a vote by address is a pseudonym and not anonymous. A visitor who throws the cookie away is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voter([u8; DIGEST]);

impl Voter {
    /// A visitor with a cookie.
    pub fn by_cookie(visitor: &VisitorId, sentence: &str) -> Self {
        Self::of("cookie", visitor.as_str(), sentence)
    }

    /// A visitor without one, by the address.
    pub fn by_address(address: &str, sentence: &str) -> Self {
        Self::of("address", address, sentence)
    }

    fn of(kind: &str, visitor: &str, sentence: &str) -> Self {
        let digest = Sha256::digest(format!("{kind}\n{visitor}\n{sentence}"));
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = String::new();
        hex::append(&mut digits, &self.0);
        f.pad(&digits)
    }
}

/// The votes on one answer, at most [`MOST`](Self::MOST): one of each voter.
///
/// As JSON an object, a voter's digits to what would have been right: `{"0123456789ab": "positive"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Votes<A>(BTreeMap<String, A>);

/// There are as many votes as are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMoreVotes;

impl<A> Votes<A> {
    /// How many votes are kept.
    pub const MOST: usize = 16;

    /// Whether nobody has voted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What would have been right, by each vote.
    pub fn iter(&self) -> impl Iterator<Item = &A> {
        self.0.values()
    }

    /// Puts a voter's vote in the place of their earlier one, or takes it back.
    pub fn cast(&mut self, voter: Voter, expected: Option<A>) -> Result<(), NoMoreVotes> {
        let voter = voter.to_string();
        match expected {
            Some(_) if self.0.len() >= Self::MOST && !self.0.contains_key(&voter) => return Err(NoMoreVotes),
            Some(expected) => _ = self.0.insert(voter, expected),
            None => _ = self.0.remove(&voter),
        }
        Ok(())
    }
}

impl<A> Default for Votes<A> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voter(number: usize) -> Voter {
        Voter::by_address(&number.to_string(), "Rain again")
    }

    #[test]
    fn each_voter_has_one_vote() {
        let mut votes = Votes::default();
        for _ in 0..1_000 {
            votes.cast(voter(1), Some("bad")).unwrap();
        }
        votes.cast(voter(2), Some("good")).unwrap();
        votes.cast(voter(1), Some("neutral")).unwrap();
        let mut said: Vec<_> = votes.iter().copied().collect();
        said.sort_unstable();
        assert_eq!(said, ["good", "neutral"]);
        votes.cast(voter(3), None).unwrap();
        votes.cast(voter(1), None).unwrap();
        assert_eq!(votes.iter().collect::<Vec<_>>(), [&"good"]);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut votes = Votes::default();
        for number in 0..Votes::<&str>::MOST {
            votes.cast(voter(number), Some("good")).unwrap();
        }
        let full = votes.clone();
        assert_eq!(votes.cast(voter(100), Some("bad")), Err(NoMoreVotes));
        assert_eq!(votes.cast(voter(100), None), Ok(()));
        assert_eq!(votes, full);
        // One's own vote can still be changed, and one taken back makes room.
        votes.cast(voter(3), Some("bad")).unwrap();
        votes.cast(voter(3), None).unwrap();
        votes.cast(voter(100), Some("bad")).unwrap();
        assert_eq!(votes.iter().count(), Votes::<&str>::MOST);
    }

    #[test]
    fn a_voter_is_of_one_sentence_and_shows_nothing() {
        let visitor = VisitorId::from_cookies("visitor=00112233445566778899aabbccddeeff").unwrap();
        let voters = [
            Voter::by_cookie(&visitor, "a"),
            Voter::by_cookie(&visitor, "b"),
            Voter::by_address("10.0.0.1", "a"),
            Voter::by_address("10.0.0.2", "a"),
            Voter::by_address(visitor.as_str(), "a"),
        ];
        let digits = voters.map(|voter| voter.to_string());
        for (at, one) in digits.iter().enumerate() {
            assert!(one.len() == 12 && !digits[at + 1..].contains(one), "{digits:?}");
        }
        assert_eq!(digits[0], Voter::by_cookie(&visitor, "a").to_string());
    }
}

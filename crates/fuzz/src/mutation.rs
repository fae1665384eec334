//! Inputs made of others: bytes are changed, taken out, repeated, and replaced by what readers stumble over.

use crate::corpus::{self, PIECES};
use crate::random::Random;

/// Longer inputs are mutated by being cut first, so that a million of them can be tried.
const LONGEST: usize = 512;

/// Changes made to one input at most.
const CHANGES: usize = 6;

/// So many inputs.
pub(crate) struct Mutations<'s> {
    seeds: &'s [Vec<u8>],
    corpus: Vec<Vec<u8>>,
    random: Random,
    left: u64,
}

impl<'s> Mutations<'s> {
    pub(crate) fn of(seeds: &'s [Vec<u8>], number: u64) -> Self {
        let corpus = corpus::inputs().filter(|input| input.len() <= LONGEST).collect();
        Self { seeds, corpus, random: Random::new(number), left: number }
    }

    /// A seed most often; otherwise something of the corpus, or noise.
    fn start(&mut self) -> Vec<u8> {
        let Self { seeds, corpus, random, .. } = self;
        let start = match random.below(8) {
            0 => None,
            1 => random.one(corpus),
            _ => random.one(seeds),
        };
        let mut start =
            start.cloned().unwrap_or_else(|| (0..random.below(24)).map(|_| random.byte()).collect());
        start.truncate(LONGEST);
        start
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let Self { seeds, random, .. } = self;
        let at = random.below(input.len() + 1);
        let end = at + random.below(input.len() - at + 1);
        match random.below(7) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = random.byte();
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => drop(input.drain(at..end)),
            3 => {
                let again = input.get(at..end).unwrap_or_default().to_vec();
                insert(input, at, &again);
            }
            4 => {
                let other = random.one(seeds).map(Vec::as_slice).unwrap_or_default();
                let from = random.below(other.len() + 1);
                let tail = other.get(from..).unwrap_or_default().to_vec();
                input.truncate(at);
                input.extend(tail);
            }
            _ => {
                let piece = random.one(&PIECES).copied().unwrap_or_default();
                insert(input, at, piece);
            }
        }
        input.truncate(2 * LONGEST);
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        let mut input = self.start();
        for _ in 0..self.random.below(CHANGES + 1) {
            self.change(&mut input);
        }
        Some(input)
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let tail = input.split_off(at);
    input.extend_from_slice(piece);
    input.extend(tail);
}

/// A part of `input` at which `fails` is still true, and of which nothing can be left out.
pub(crate) fn smallest(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut length = input.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < input.len() {
            let end = (at + length).min(input.len());
            let without = [input.get(..at), input.get(end..)].map(Option::unwrap_or_default).concat();
            if fails(&without) {
                input = without;
            } else {
                at = end;
            }
        }
        length /= 2;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_many_and_the_same_every_time() {
        let seeds = [b"{\"sentence\": \"a\"}".to_vec()];
        let inputs: Vec<_> = Mutations::of(&seeds, 1000).collect();
        assert_eq!(inputs, Mutations::of(&seeds, 1000).collect::<Vec<_>>());
        let different: std::collections::BTreeSet<_> = inputs.iter().collect();
        assert!(different.len() > 700, "{}", different.len());
        assert!(inputs.iter().all(|input| input.len() <= 2 * LONGEST));
    }

    #[test]
    fn nothing_can_be_left_out() {
        let fails = |input: &[u8]| input.contains(&b'x') && input.contains(&b'y');
        assert_eq!(smallest(b"aaxbbbbbycccc".to_vec(), fails), b"xy");
    }
}

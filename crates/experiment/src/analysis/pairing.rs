//! Finding the sentences that several variants saw.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    iter,
};

use super::observation::Judged;

/// What each variant made of each sentence, by a 64-bit digest of the two: 16 bytes, whatever the sentence's length
/// (32 at most, with the map's spare room). Among a million sentences, two are taken for one with a probability of
/// 1 in 10⁷.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    judged: HashMap<u64, Judged>,
}

impl Sightings {
    /// Keeps what a variant made of a sentence, and says what the others, of `variants` in all, made of it before. Of
    /// a sentence that the variant saw already, the first observation stays and nothing is said.
    pub(super) fn see(
        &mut self,
        variant: usize,
        variants: usize,
        sentence: &str,
        judged: Judged,
    ) -> Vec<(usize, Judged)> {
        let mut seen_before = false;
        self.judged.entry(digest(variant, sentence)).and_modify(|_| seen_before = true).or_insert(judged);
        if seen_before {
            return Vec::new();
        }
        let others = (0..variants).filter(|other| *other != variant);
        others.filter_map(|other| Some((other, *self.judged.get(&digest(other, sentence))?))).collect()
    }
}

fn digest(variant: usize, sentence: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (variant, sentence).hash(&mut hasher);
    hasher.finish()
}

/// Joins streams that are each sorted by key, in ascending order, each key once: for every key, in order, the position
/// of each stream that has it, with its value. Holds one entry per stream.
///
/// With one stream per variant the values are what [`Analysis::observe_together`](super::Analysis::observe_together)
/// takes, so that stores of any size are compared in fixed memory. A stream out of order loses pairs, and makes no
/// false ones.
///
/// ```
/// use experiment::analysis::join_sorted;
///
/// let joined = join_sorted([vec![("a", 1), ("c", 3)], vec![("b", 20), ("c", 30)]]);
/// assert!(joined.eq([("a", vec![(0, 1)]), ("b", vec![(1, 20)]), ("c", vec![(0, 3), (1, 30)])]));
/// ```
pub fn join_sorted<K: Ord, V, S: IntoIterator<Item = (K, V)>>(
    streams: impl IntoIterator<Item = S>,
) -> impl Iterator<Item = (K, Vec<(usize, V)>)> {
    let mut streams: Vec<_> = streams.into_iter().map(|stream| stream.into_iter().peekable()).collect();
    iter::from_fn(move || {
        let heads =
            streams.iter_mut().enumerate().filter_map(|(index, stream)| Some((&stream.peek()?.0, index)));
        let least = heads.min().map(|(_, index)| index)?;
        let (key, value) = streams.get_mut(least)?.next()?;
        let mut values = vec![(least, value)];
        for (index, stream) in streams.iter_mut().enumerate().skip(least + 1) {
            values.extend(stream.next_if(|(other, _)| *other == key).map(|(_, value)| (index, value)));
        }
        Some((key, values))
    })
}

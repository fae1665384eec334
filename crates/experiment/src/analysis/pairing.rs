//! Finding the sentences that several variants saw.

use std::iter;

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

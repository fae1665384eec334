//! The sentences that wait for somebody to annotate them.

use rand::{Rng, RngExt as _, seq::SliceRandom as _};

use super::{Draw, Stratum};

/// One of so many sentences to annotate is one on which the prompts agree.
const ONE_AGREES_IN: u32 = 10;

/// Sentences in random order, most of them such on which the prompts differ.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    differ: Vec<String>,
    agree: Vec<String>,
}

impl Queue {
    /// Those of the draws that are kept which nobody has annotated yet. A sentence that was drawn twice waits once.
    pub fn new(
        draws: impl IntoIterator<Item = Draw>,
        is_annotated: impl Fn(&str) -> bool,
        rng: &mut impl Rng,
    ) -> Self {
        let mut queue = Self::default();
        for draw in draws {
            if is_annotated(&draw.sentence) {
                continue;
            }
            match draw.stratum() {
                Stratum::Differ => queue.differ.push(draw.sentence),
                Stratum::Agree => queue.agree.push(draw.sentence),
            }
        }
        for sentences in [&mut queue.differ, &mut queue.agree] {
            sentences.sort_unstable();
            sentences.dedup();
            sentences.shuffle(rng);
        }
        queue
    }

    /// The next one: one in ten is one on which the prompts agree, as long as there are others.
    pub fn next(&mut self, rng: &mut impl Rng) -> Option<String> {
        let agrees = rng.random_ratio(1, ONE_AGREES_IN);
        let Self { differ, agree } = self;
        let (first, second) = if agrees { (agree, differ) } else { (differ, agree) };
        first.pop().or_else(|| second.pop())
    }

    /// How many wait.
    pub const fn len(&self) -> usize {
        self.differ.len() + self.agree.len()
    }

    /// Whether none waits.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::SmallRng};

    use super::*;
    use crate::Fingerprint;

    fn draw(sentence: String, second: &str) -> Draw {
        let mut draw = Draw::new(sentence);
        draw.add(Fingerprint::of("a"), "positive");
        draw.add(Fingerprint::of("b"), second);
        draw
    }

    #[test]
    fn each_waits_once_and_nine_of_ten_are_such_on_which_the_prompts_differ() {
        let mut rng = SmallRng::seed_from_u64(7);
        let differ = (0..460).map(|number| draw(format!("differ {number}"), "negative"));
        let agree = (0..52).map(|number| draw(format!("agree {number}"), "positive"));
        let twice = [draw("differ 0".to_owned(), "negative")];
        let is_annotated = |sentence: &str| sentence.ends_with(" 7");
        let mut queue = Queue::new(differ.chain(agree).chain(twice), is_annotated, &mut rng);
        assert_eq!(queue.len(), 459 + 51);
        let order: Vec<_> = std::iter::from_fn(|| queue.next(&mut rng)).collect();
        assert!(queue.is_empty() && order.len() == 510, "{}", order.len());
        let agree = order[..300].iter().filter(|sentence| sentence.starts_with("agree")).count();
        assert!((15..=50).contains(&agree), "{agree} of 300");
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_ne!(sorted, order, "in random order");
        sorted.dedup();
        assert_eq!(sorted.len(), 510);
    }
}

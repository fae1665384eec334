//! Counting, for one variant and for one pair of variants.

use crate::{
    statistics::{Pairs, classification::Confusion},
    tally::Tally,
};

use super::{
    latency::Latencies,
    observation::{Judged, Observation, Outcomes},
};

/// What was counted of one variant.
#[derive(Clone, Debug)]
pub(super) struct VariantTally {
    /// Observations of the current prompt and model.
    pub(super) n: u64,
    /// Those of any other prompt or model.
    pub(super) stale: u64,
    /// By label, and last those that are none.
    pub(super) outcomes: Vec<u64>,
    pub(super) confusion: Confusion,
    pub(super) latencies: Latencies,
    pub(super) tokens: TokenTally,
}

/// Sums of tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenTally {
    /// Observations of which the model said how many tokens they took.
    pub(super) n: u64,
    pub(super) prompt: u64,
    pub(super) generated: u64,
}

impl VariantTally {
    pub(super) fn new(labels: usize) -> Self {
        Self {
            n: 0,
            stale: 0,
            outcomes: vec![0; labels + 1],
            confusion: Confusion::new(labels),
            latencies: Latencies::default(),
            tokens: TokenTally::default(),
        }
    }

    pub(super) fn add(&mut self, observation: &Observation<'_>, judged: &Judged) {
        self.n += 1;
        let unsure = self.outcomes.len() - 1;
        self.outcomes[judged.outcome.map_or(unsure, usize::from)] += 1;
        for expected in &judged.expected {
            self.confusion.add(usize::from(*expected), judged.outcome.map(usize::from));
        }
        if let Some(elapsed) = observation.elapsed_ms {
            self.latencies.add(elapsed);
        }
        if observation.prompt_tokens > 0 || observation.generated_tokens > 0 {
            self.tokens.n += 1;
            self.tokens.prompt += u64::from(observation.prompt_tokens);
            self.tokens.generated += u64::from(observation.generated_tokens);
        }
    }
}

impl VariantTally {
    /// Adds what was counted when records were written.
    pub(super) fn add_tally(&mut self, tally: &Tally, names: &Outcomes) {
        let unsure = self.outcomes.len() - 1;
        for (outcome, count) in &tally.answers {
            self.n += count;
            self.outcomes[names.label(outcome).map_or(unsure, usize::from)] += count;
        }
        for (milliseconds, count) in &tally.latencies {
            self.latencies.add_many(*milliseconds, *count);
        }
        for (expected, outcome, count) in &tally.votes {
            if let Some(expected) = names.label(expected) {
                self.confusion.add_many(usize::from(expected), names.label(outcome).map(usize::from), *count);
            }
        }
        self.tokens.n += tally.with_tokens;
        self.tokens.prompt += tally.prompt_tokens;
        self.tokens.generated += tally.generated_tokens;
    }
}

/// What was counted of the sentences that both of two variants saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PairTally {
    /// Sentences that both saw, labelled or not.
    pub(super) seen: u64,
    /// Those on which their outcomes differ.
    pub(super) differ: u64,
    /// Those of the latter without a label.
    pub(super) differ_unlabelled: u64,
    /// Those of which people said different things: no pair, as somebody must be wrong.
    pub(super) conflicting: u64,
    /// Those with a label.
    pub(super) pairs: Pairs,
}

impl PairTally {
    /// A label belongs to the sentence: given for the answer of one variant, it judges the other's as well.
    pub(super) fn add(&mut self, first: &Judged, second: &Judged) {
        let differ = u64::from(first.outcome != second.outcome);
        self.seen += 1;
        self.differ += differ;
        let mut said = first.expected.iter().chain(&second.expected).copied();
        let expected = said.next();
        if expected.is_none() {
            self.differ_unlabelled += differ;
            return;
        }
        if said.any(|other| Some(other) != expected) {
            self.conflicting += 1;
            return;
        }
        let pairs = &mut self.pairs;
        let kind = match (first.outcome == expected, second.outcome == expected) {
            (true, true) => &mut pairs.both,
            (true, false) => &mut pairs.only_first,
            (false, true) => &mut pairs.only_second,
            (false, false) => &mut pairs.neither,
        };
        *kind += 1;
    }
}

/// Each two of so many variants, the first before the second.
pub(super) fn pairs_of(variants: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..variants).flat_map(move |first| (first + 1..variants).map(move |second| (first, second)))
}

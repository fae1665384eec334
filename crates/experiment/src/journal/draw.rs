//! A sentence with what each prompt made of it, and which draws are kept.

use std::collections::BTreeMap;

use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// A sentence that all variants have answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The sentence.
    pub sentence: String,
    /// The first outcome of each prompt, by its fingerprint.
    pub answers: BTreeMap<String, String>,
}

impl Draw {
    /// A sentence that nothing has answered yet.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), answers: BTreeMap::new() }
    }

    /// Adds what a prompt made of it; a second outcome of the same prompt changes nothing.
    pub fn add(&mut self, prompt: Fingerprint, outcome: &str) {
        self.answers.entry(prompt.as_str().to_owned()).or_insert_with(|| outcome.to_owned());
    }

    /// Where it belongs.
    pub fn stratum(&self) -> Stratum {
        let mut outcomes = self.answers.values();
        let first = outcomes.next();
        if outcomes.all(|outcome| Some(outcome) == first) { Stratum::Agree } else { Stratum::Differ }
    }

    /// The draw that a store holds; `None` for any other value.
    pub fn from_json(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }
}

/// Sentences on which the prompts agree, and those on which any two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stratum {
    /// At least two outcomes: what tells prompts apart.
    Differ,
    /// One outcome: what each prompt's accuracy needs as well.
    Agree,
}

impl Stratum {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Differ, Self::Agree];

    /// How many draws are kept: 512 in all.
    pub const fn slots(self) -> u64 {
        match self {
            Self::Differ => 460,
            Self::Agree => 52,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Differ => "differ",
            Self::Agree => "agree",
        }
    }

    /// In which slot the draw is kept that is the `number`th, counted from 1; `None` if it is not.
    ///
    /// Algorithm R (Vitter 1985): at any time each of all draws so far is among those that are kept with the same probability, so
    /// they are a fair sample, whoever asked when.
    pub fn slot(self, number: u64, rng: &mut impl Rng) -> Option<u64> {
        let slots = self.slots();
        let slot = if number <= slots { number.saturating_sub(1) } else { rng.random_range(0..number) };
        (slot < slots).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::SmallRng};

    use super::*;

    #[test]
    fn strata() {
        let prompts = ["a", "b", "c"].map(Fingerprint::of);
        let stratum = |outcomes: &[&str]| {
            let mut draw = Draw::new("Rain again");
            prompts.iter().zip(outcomes).for_each(|(prompt, outcome)| draw.add(*prompt, outcome));
            draw.stratum()
        };
        assert_eq!(stratum(&[]), Stratum::Agree);
        assert_eq!(stratum(&["positive"]), Stratum::Agree);
        assert_eq!(stratum(&["positive", "positive", "positive"]), Stratum::Agree);
        assert_eq!(stratum(&["positive", "unsure"]), Stratum::Differ);
        assert_eq!(stratum(&["positive", "positive", "neutral"]), Stratum::Differ);
    }

    #[test]
    fn the_first_outcome_of_a_prompt_counts() {
        let mut draw = Draw::new("Rain again");
        draw.add(Fingerprint::of("a"), "unsure");
        draw.add(Fingerprint::of("a"), "negative");
        assert_eq!(draw.answers.values().collect::<Vec<_>>(), ["unsure"]);
        let json = serde_json::to_vec(&draw).unwrap();
        assert_eq!(Draw::from_json(&json), Some(draw));
        assert_eq!(Draw::from_json(b"{}"), None);
    }

    /// Each hundred of 2,000 draws fills about a twentieth of the slots.
    #[test]
    fn what_is_kept_is_a_fair_sample() {
        let mut rng = SmallRng::seed_from_u64(7);
        let mut kept_of_hundred = [0_u32; 20];
        for _ in 0..50 {
            let mut slots = vec![0_u64; 460];
            for number in 1..=2_000 {
                if let Some(slot) = Stratum::Differ.slot(number, &mut rng) {
                    slots[usize::try_from(slot).unwrap()] = number;
                }
            }
            for number in slots {
                kept_of_hundred[usize::try_from((number - 1) / 100).unwrap()] += 1;
            }
        }
        // 50 · 460 / 20, with a standard deviation of about 33.
        for kept in kept_of_hundred {
            assert!(kept.abs_diff(1_150) < 150, "{kept_of_hundred:?}");
        }
    }
}

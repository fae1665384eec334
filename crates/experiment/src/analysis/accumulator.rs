//! The analysis: counts observations and makes a report of them.

use crate::Fingerprint;

use super::{
    Plan, Report,
    observation::{Judged, Observation, Outcomes},
    pairing::Sightings,
    report,
    tally::{PairTally, VariantTally},
};

/// A variant with the prompt and the model that it has now. Variants of one analysis have labels of their own.
#[derive(Clone, Debug)]
pub struct CurrentVariant {
    /// The label of its store.
    pub label: String,
    /// Its weight in the assignment.
    pub weight: u32,
    /// Its current prompt: observations of another one are stale.
    pub prompt: Fingerprint,
    /// Its current model: observations of another one are stale.
    pub model: String,
}

impl CurrentVariant {
    /// A variant by its label and weight, with its current prompt and model.
    pub fn new(label: impl Into<String>, weight: u32, prompt: Fingerprint, model: impl Into<String>) -> Self {
        Self { label: label.into(), weight, prompt, model: model.into() }
    }
}

/// A time during which the weights stayed the same: how often each variant was assigned, in the variants' order. From a
/// request log, as stores hold observations, which are fewer.
#[derive(Clone, Debug)]
pub struct Phase {
    /// The weights in force.
    pub weights: Vec<u32>,
    /// Assignments, cache hits included.
    pub assigned: Vec<u64>,
}

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts.
    Current,
    /// It is of another prompt or model than the variant's current ones: counted as stale, and as nothing else.
    Stale,
    /// The analysis has no such variant.
    Unknown,
}

/// Counts observations of the variants of one experiment, and reports.
///
/// Variants are known by their position. Of the three ways to hand over an observation, [`observe`](Self::observe)
/// compares variants as independent only; [`observe_together`](Self::observe_together) and
/// [`observe_sentence`](Self::observe_sentence) pair them as well. Only the last one needs memory for each sentence: 16 to
/// 32 bytes per sentence and variant.
#[derive(Clone, Debug)]
pub struct Analysis {
    pub(super) outcomes: Outcomes,
    pub(super) plan: Plan,
    pub(super) variants: Vec<(CurrentVariant, VariantTally)>,
    /// One for each two variants, in the order of [`pairs_of`].
    pub(super) pairs: Vec<PairTally>,
    pub(super) phases: Vec<Phase>,
    sightings: Sightings,
}

impl Analysis {
    /// An analysis without observations.
    pub fn new(outcomes: Outcomes, variants: Vec<CurrentVariant>, plan: Plan) -> Self {
        let tally = VariantTally::new(outcomes.labels.len());
        Self {
            pairs: vec![PairTally::default(); pairs_of(variants.len()).count()],
            variants: variants.into_iter().map(|variant| (variant, tally.clone())).collect(),
            outcomes,
            plan,
            phases: Vec::new(),
            sightings: Sightings::default(),
        }
    }

    /// Counts an observation of a variant, whatever others made of the same sentence.
    pub fn observe(&mut self, variant: usize, observation: &Observation<'_>) -> Taken {
        self.count(variant, observation).0
    }

    /// Counts what several variants made of the same sentence.
    pub fn observe_together(&mut self, observations: &[(usize, Observation<'_>)]) {
        let judged: Vec<_> = observations
            .iter()
            .filter_map(|(variant, observation)| Some((*variant, self.count(*variant, observation).1?)))
            .collect();
        for (index, one) in judged.iter().enumerate() {
            for other in &judged[index + 1..] {
                self.pair(*one, *other);
            }
        }
    }

    /// Counts an observation of a variant, and pairs it with what other variants made of the same sentence, in any
    /// order. Of several observations of one variant and one sentence, only the first is paired.
    pub fn observe_sentence(
        &mut self,
        variant: usize,
        sentence: &str,
        observation: &Observation<'_>,
    ) -> Taken {
        let (taken, judged) = self.count(variant, observation);
        if let Some(judged) = judged {
            for other in self.sightings.see(variant, self.variants.len(), sentence, judged) {
                self.pair((variant, judged), other);
            }
        }
        taken
    }

    /// Adds a phase of assignments, for the check of the sample ratio. Phases whose weights differ are warned of.
    pub fn add_phase(&mut self, phase: Phase) {
        self.phases.push(phase);
    }

    /// What the observations so far say. May be asked for at any time and as often as one likes: that is what decisions
    /// by an always-valid interval are for.
    pub fn report(&self) -> Report {
        report::of(self)
    }

    fn count(&mut self, variant: usize, observation: &Observation<'_>) -> (Taken, Option<Judged>) {
        let Some((current, tally)) = self.variants.get_mut(variant) else {
            return (Taken::Unknown, None);
        };
        if observation.prompt != current.prompt || observation.model != current.model {
            tally.stale += 1;
            return (Taken::Stale, None);
        }
        let judged = self.outcomes.judge(observation);
        tally.add(observation, judged);
        (Taken::Current, Some(judged))
    }

    fn pair(&mut self, one: (usize, Judged), other: (usize, Judged)) {
        let (first, second) = if one.0 < other.0 { (one, other) } else { (other, one) };
        let position = pairs_of(self.variants.len()).position(|pair| pair == (first.0, second.0));
        if let Some(tally) = position.and_then(|position| self.pairs.get_mut(position)) {
            tally.add(first.1, second.1);
        }
    }
}

/// Each two of so many variants, the first before the second.
pub(super) fn pairs_of(variants: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..variants).flat_map(move |first| (first + 1..variants).map(move |second| (first, second)))
}

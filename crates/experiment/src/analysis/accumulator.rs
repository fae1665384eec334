//! The analysis: counts observations and makes a report of them.

use crate::{
    journal::{Evidence, Round},
    tally::Counted as Tallied,
};

use super::{
    Phase, Plan, Report,
    observation::{CurrentVariant, Judged, Observation, Outcomes},
    report::{self, Counted},
    tally::{PairTally, VariantTally, pairs_of},
};

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
/// Variants are known by their position. [`observe`](Self::observe) compares variants as independent only,
/// [`observe_together`](Self::observe_together) pairs them as well, and [`observe_tally`](Self::observe_tally) takes what was counted before.
#[derive(Clone, Debug)]
pub struct Analysis {
    counted: Counted,
}

impl Analysis {
    /// An analysis without observations.
    pub fn new(outcomes: Outcomes, variants: Vec<CurrentVariant>, plan: Plan) -> Self {
        let tally = VariantTally::new(outcomes.labels.len());
        let counted = Counted {
            pairs: vec![PairTally::default(); pairs_of(variants.len()).count()],
            variants: variants.into_iter().map(|variant| (variant, tally.clone())).collect(),
            outcomes,
            plan,
            phases: Vec::new(),
            evidence: None,
        };
        Self { counted }
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
                self.pair(one, other);
            }
        }
    }

    /// Counts what was tallied of a variant's current prompt and model, and of other ones.
    pub fn observe_tally(&mut self, variant: usize, tallied: &Tallied) {
        let Counted { variants, outcomes, .. } = &mut self.counted;
        if let Some((_, counted)) = variants.get_mut(variant) {
            counted.add_tally(&tallied.tally, outcomes);
            counted.stale += tallied.stale;
        }
    }

    /// Adds a phase of assignments, for the check of the sample ratio. Phases whose weights differ are warned of.
    pub fn add_phase(&mut self, phase: Phase) {
        self.counted.phases.push(phase);
    }

    /// The prompts that the variants have now, for which people annotate sentences. All variants have one model, unless a warning says
    /// otherwise.
    pub fn round(&self) -> Round {
        let variants = &self.counted.variants;
        let model = variants.first().map_or("", |(variant, _)| &variant.model);
        Round::new(variants.iter().map(|(variant, _)| variant.prompt), model)
    }

    /// Takes what people who signed in said about the sentences of this [`round`](Self::round). Where observations are looked at as often as
    /// one likes, that decides and nothing else.
    pub fn judge(&mut self, evidence: Evidence) {
        self.counted.evidence = Some(evidence);
    }

    /// What the observations so far say. May be asked for at any time and as often as one likes: that is what decisions
    /// by an always-valid interval are for.
    pub fn report(&self) -> Report {
        report::of(&self.counted)
    }

    fn count(&mut self, variant: usize, observation: &Observation<'_>) -> (Taken, Option<Judged>) {
        let Some((current, tally)) = self.counted.variants.get_mut(variant) else {
            return (Taken::Unknown, None);
        };
        if observation.prompt != current.prompt || observation.model != current.model {
            tally.stale += 1;
            return (Taken::Stale, None);
        }
        let judged = self.counted.outcomes.judge(observation);
        tally.add(observation, &judged);
        (Taken::Current, Some(judged))
    }

    fn pair(&mut self, one: &(usize, Judged), other: &(usize, Judged)) {
        let (first, second) = if one.0 < other.0 { (one, other) } else { (other, one) };
        let position = pairs_of(self.counted.variants.len()).position(|pair| pair == (first.0, second.0));
        if let Some(tally) = position.and_then(|position| self.counted.pairs.get_mut(position)) {
            tally.add(&first.1, &second.1);
        }
    }
}

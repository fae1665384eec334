//! Two variants compared.

use serde::Serialize;

use crate::statistics::{
    Evidence, Interval, Pairs, Score, bayes,
    decision::{self, Decision, Looks, Plan, Side},
    mcnemar, real,
    sign_test::{self, Disagreements},
};

use super::tally::PairTally;

/// Two variants compared by their labelled observations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The label of the first variant.
    pub first: String,
    /// The label of the second.
    pub second: String,
    /// Which observations are compared.
    pub design: Design,
    /// Labelled observations of both together, or pairs.
    pub n: u64,
    /// Second − first: above 0, the second is right more often. `None` while one of them has no labels.
    pub difference: Option<Difference>,
    /// The sentences that both saw.
    pub seen_by_both: SeenByBoth,
    /// Those of them with a label, by which of the two was right.
    pub pairs: Pairs,
    /// Exact two-sided p-value of the pairs (describes, does not decide); `None` without pairs.
    pub mcnemar_p: Option<f64>,
    /// P(this variant's accuracy is the higher one), for each (describes, does not decide). `None` while one of them has
    /// no labels.
    pub chance_to_win: Option<Each>,
    /// The accuracy given away, on average, by choosing this variant, for each; `None` as for the chance.
    pub expected_loss: Option<Each>,
    /// Annotations of sentences on which the two differ: for live observations, these decide and the rest only describes.
    /// `None` for a data set, and without a journal.
    pub annotated: Option<Annotated>,
    /// What may be said.
    pub decision: Verdict,
}

/// Annotated disagreements of two variants, and what they say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Annotated {
    /// The counts.
    #[serde(flatten)]
    pub counts: Disagreements,
    /// The evidence that one is better, from 1 for none: at 1/α it decides.
    pub evidence: f64,
    /// Second − first accuracy, with an interval that holds at every look; `None` without annotations.
    pub difference: Option<Difference>,
}

/// Which observations a comparison rests on.
///
/// The choice depends on numbers of labels alone, never on outcomes. Pairs are taken once there are enough for a
/// decision and at least n₁n₂/(n₁+n₂) of them (half of n, where both variants have n labels): from there on they are
/// the stronger evidence, at a correlation of one half between the answers to the same sentence. An evaluation of a data
/// set is always paired, as both variants are asked every sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Sentences that both variants saw.
    Paired,
    /// All labelled observations of each.
    Independent,
}

/// A difference of accuracies with its intervals, in `-1..=1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// As observed.
    pub value: f64,
    /// The interval that holds at every look or, of a data set, at the one look that there is, and then decides. Its confidence is 1 −
    /// [`Method::alpha_each`](super::Method).
    pub deciding: Interval,
    /// Newcombe's 95% interval, of labelled observations.
    pub fixed: Interval,
}

/// A number for each of two variants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Each {
    /// The first variant's.
    pub first: f64,
    /// The second's.
    pub second: f64,
}

/// Sentences that both variants saw, labelled or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SeenByBoth {
    /// In all.
    pub n: u64,
    /// Those with different outcomes: only they tell the variants apart.
    pub differ: u64,
    /// Those of the latter without a label: the ones to label first.
    pub differ_unlabelled: u64,
    /// Those of which people said different things, and that count as no pair.
    pub conflicting_labels: u64,
}

/// Whether a winner may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Yes.
    Decided,
    /// Not yet.
    NotDecided,
    /// Never: both have the same prompt and model.
    Identical,
}

/// What may be said about which variant is better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether there is a winner.
    pub status: Status,
    /// The better variant's label; only where decided.
    pub winner: Option<String>,
    /// Where not decided: what is still needed for a decision in about 80 of 100 cases. Of live observations, annotations of sentences on
    /// which the two differ; of a data set, labelled sentences. `None` where it would be too many: as good as equal.
    pub needed_more: Option<u64>,
    /// Where not decided live: about how many new sentences it takes until the prompts differ on so many.
    pub new_sentences: Option<u64>,
    /// Where a data set does not decide: the difference of accuracies, in `0..=1`, for which `needed_more` holds.
    pub assumed_difference: Option<f64>,
}

/// A variant's label and its score.
pub(super) type Scored<'a> = (&'a str, Score);

/// Compares two variants under a plan whose α is this comparison's own.
pub(super) fn of(
    first: Scored<'_>,
    second: Scored<'_>,
    tally: &PairTally,
    plan: Plan,
    annotated: Option<Disagreements>,
) -> Comparison {
    let pairs = tally.pairs;
    let design = design(first.1, second.1, pairs, plan);
    // The formulas take first − second. Here the second variant is theirs, for a difference that speaks of it.
    let (evidence, scores) = match design {
        Design::Paired => (Evidence::Paired(pairs.swapped()), (pairs.first(), pairs.second())),
        Design::Independent => {
            (Evidence::Independent { first: second.1, second: first.1 }, (first.1, second.1))
        }
    };
    let difference = evidence.difference();
    let each = |of: fn(Score, Score) -> f64| {
        difference.map(|_| Each { first: of(scores.0, scores.1), second: of(scores.1, scores.0) })
    };
    Comparison {
        first: first.0.to_owned(),
        second: second.0.to_owned(),
        design,
        n: evidence.n(),
        difference: difference.map(|value| Difference {
            value,
            deciding: decision::interval(evidence, plan),
            fixed: evidence.fixed_interval(),
        }),
        seen_by_both: SeenByBoth {
            n: tally.seen.max(annotated.map_or(0, |counts| counts.compared)),
            differ: tally.differ.max(annotated.map_or(0, |counts| counts.differ)),
            differ_unlabelled: tally.differ_unlabelled,
            conflicting_labels: tally.conflicting,
        },
        pairs,
        mcnemar_p: (pairs.n() > 0).then(|| mcnemar::p_value(pairs)),
        chance_to_win: each(|chosen, other| bayes::chance_to_win(other, chosen)),
        expected_loss: each(bayes::expected_loss),
        annotated: annotated
            .filter(|_| plan.looks == Looks::Any)
            .map(|counts| Annotated::new(counts, plan.alpha)),
        decision: match plan.looks {
            Looks::Any => by_annotations(first.0, second.0, annotated.unwrap_or_default(), plan.alpha),
            Looks::Once => by_interval(first.0, second.0, evidence, plan),
        },
    }
}

fn by_interval(first: &str, second: &str, evidence: Evidence, plan: Plan) -> Verdict {
    match decision::decide(evidence, plan) {
        // The formulas have exchanged the two.
        Decision::BetterIs(Side::First) => Verdict::winner(second),
        Decision::BetterIs(Side::Second) => Verdict::winner(first),
        Decision::NotYet(need) => {
            Verdict { needed_more: need.sentences, assumed_difference: Some(need.assuming), ..Verdict::OPEN }
        }
    }
}

fn by_annotations(first: &str, second: &str, counts: Disagreements, alpha: f64) -> Verdict {
    match sign_test::better(counts.signs, alpha) {
        Some(Side::First) => Verdict::winner(first),
        Some(Side::Second) => Verdict::winner(second),
        None => {
            let needed_more = sign_test::needed(counts.signs, counts.annotated, alpha);
            let waiting = counts.differ.saturating_sub(counts.annotated);
            let missing = needed_more.map(|needed| needed.saturating_sub(waiting));
            let new_sentences = missing.filter(|_| counts.differ > 0).map(|missing| {
                // Both are far below 2⁶⁴.
                missing.saturating_mul(counts.compared).div_ceil(counts.differ)
            });
            Verdict { needed_more, new_sentences, ..Verdict::OPEN }
        }
    }
}

impl Annotated {
    fn new(counts: Disagreements, alpha: f64) -> Self {
        // The formulas take first − second.
        let interval = sign_test::difference_interval(&counts, alpha).negated();
        let difference = sign_test::difference(&counts).map(|value| Difference {
            value: -value,
            deciding: interval,
            fixed: interval,
        });
        // JSON has no infinity.
        Self { counts, evidence: sign_test::evidence(counts.signs).min(f64::MAX), difference }
    }
}

/// Compares two variants with the same prompt and model: what was observed may be shown, and nothing is to be decided.
pub(super) fn of_identical(
    first: Scored<'_>,
    second: Scored<'_>,
    tally: &PairTally,
    plan: Plan,
) -> Comparison {
    let decision = Verdict { status: Status::Identical, ..Verdict::OPEN };
    Comparison { decision, annotated: None, ..of(first, second, tally, plan, None) }
}

fn design(first: Score, second: Score, pairs: Pairs, plan: Plan) -> Design {
    if plan.looks == Looks::Once {
        return Design::Paired;
    }
    let enough = pairs.n() >= plan.minimum_labelled.max(1);
    let (n1, n2) = (real(first.n()), real(second.n()));
    if enough && real(pairs.n()) * (n1 + n2) >= n1 * n2 { Design::Paired } else { Design::Independent }
}

/// The verdict on all variants: the one that beats every other with another prompt or model, or else what the best one so
/// far still needs to. `None` for a single variant.
pub(super) fn overall(variants: &[Scored<'_>], comparisons: &[Comparison]) -> Option<Verdict> {
    let different: Vec<&Comparison> =
        comparisons.iter().filter(|one| one.decision.status != Status::Identical).collect();
    if different.is_empty() {
        return comparisons.first().map(|identical| identical.decision.clone());
    }
    let involves = |one: &Comparison, label: &str| one.first == label || one.second == label;
    let beats_all = |label: &str| {
        let mut with_it = different.iter().filter(|one| involves(one, label));
        with_it.all(|one| one.decision.winner.as_deref() == Some(label))
    };
    if let Some((winner, _)) = variants.iter().find(|(label, _)| beats_all(label)) {
        return Some(Verdict::winner(winner));
    }
    // By what is annotated where anything is, and else by the labels.
    let lead = |label: &str, score: &Score| -> (f64, f64) {
        let signs = different.iter().filter_map(|one| Some((one, one.annotated?.counts.signs)));
        let ahead = signs.map(|(one, signs)| match (one.first == label, one.second == label) {
            (true, _) => real(signs.first) - real(signs.second),
            (_, true) => real(signs.second) - real(signs.first),
            _ => 0.0,
        });
        (ahead.sum(), score.accuracy().unwrap_or(0.0))
    };
    let (leader, _) = variants.iter().max_by(|one, other| {
        let (one, other) = (lead(one.0, &one.1), lead(other.0, &other.1));
        one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1))
    })?;
    // To need what cannot be told (`None`) is to need more than any number.
    let hardest = different
        .iter()
        .filter(|one| involves(one, leader) && one.decision.status == Status::NotDecided)
        .max_by_key(|one| one.decision.needed_more.unwrap_or(u64::MAX));
    Some(hardest.map_or(Verdict::OPEN, |one| one.decision.clone()))
}

impl Verdict {
    const OPEN: Self = Self {
        status: Status::NotDecided,
        winner: None,
        needed_more: None,
        new_sentences: None,
        assumed_difference: None,
    };

    fn winner(label: &str) -> Self {
        Self { status: Status::Decided, winner: Some(label.to_owned()), ..Self::OPEN }
    }
}

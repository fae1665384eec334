//! Which of two variants is better, or how much is still needed to say so.

use serde::Serialize;

use super::{Evidence, Interval, Z_POWER_80, always_valid, real, two_sided_quantile};

/// Beyond this many labelled sentences more, nothing is promised: the difference is too small to matter to a person
/// who labels sentences.
const FAR: u64 = 1_000_000;

/// How often people look at the observations before they conclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// As often as they like, while observations come in: the [always-valid](always_valid) interval decides.
    Any,
    /// Once, when all is observed, as with a fixed data set: [Newcombe's](super::newcombe) interval decides.
    Once,
}

/// What is settled before the first look. Changing it after having looked voids the guarantee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// How often people look.
    pub looks: Looks,
    /// The accepted probability of calling equal variants different, at any look, in `0..1`.
    pub alpha: f64,
    /// N*: the number of observations (or pairs) at which the always-valid interval is tightest. At least 1.
    pub planned: u64,
    /// Labelled observations per variant before which nothing is decided: the normal approximation has to hold.
    pub minimum_labelled: u64,
    /// The smallest difference of accuracies worth finding, in `0..=1`. It sets how many sentences are asked for, and
    /// has no part in the decision.
    pub worth_finding: f64,
}

impl Default for Plan {
    /// Any number of looks, 5%, tightest at 5,000, never before 30 per variant, ten points of accuracy.
    fn default() -> Self {
        Self { looks: Looks::Any, alpha: 0.05, planned: 5_000, minimum_labelled: 30, worth_finding: 0.10 }
    }
}

impl Plan {
    /// The default for a fixed data set, which is looked at once.
    pub fn once() -> Self {
        Self { looks: Looks::Once, ..Self::default() }
    }

    /// The same plan for each of several comparisons, α divided among them (Bonferroni), so that α bounds the
    /// probability of a single false decision among all.
    #[must_use]
    pub fn shared_by(self, comparisons: usize) -> Self {
        Self { alpha: self.alpha / real(comparisons.max(1) as u64), ..self }
    }

    /// Half the width of the interval after n observations (or pairs) with a standard deviation of 1.
    fn boundary(self, n: f64) -> f64 {
        match self.looks {
            Looks::Any => always_valid::boundary(n, self.alpha, self.planned),
            Looks::Once => two_sided_quantile(self.alpha) / n.sqrt(),
        }
    }
}

/// One of two variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

/// What may be said about two variants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// The interval contains zero, or there are too few labels.
    NotYet(Need),
    /// This one is better.
    BetterIs(Side),
}

/// How many labelled sentences are still needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Need {
    /// Labelled sentences still to come: one makes one pair; where variants are independent, of both together, in the
    /// proportion so far. With them a decision is reached in at least 80 of 100 cases *if* the variants differ by `assuming`.
    /// `None` where it would take more than a million: no difference that matters.
    pub sentences: Option<u64>,
    /// The assumed difference, in `0..=1`: the one worth finding or, where the 95% interval of the observed difference
    /// rules that out, its nearest bound.
    pub assuming: f64,
}

/// The interval of first − second that decides, within `-1..=1`. It contains the observed difference.
pub fn interval(evidence: Evidence, plan: Plan) -> Interval {
    match (plan.looks, evidence.difference()) {
        (_, None) => Interval::ANY_DIFFERENCE,
        (Looks::Once, _) => evidence.fixed_interval_at(plan.alpha),
        (Looks::Any, Some(difference)) => {
            let (error, n) = (evidence.standard_error(), evidence.clock());
            let half_width = always_valid::half_width(error, n, plan.alpha, plan.planned);
            Interval { low: (difference - half_width).max(-1.0), high: (difference + half_width).min(1.0) }
        }
    }
}

/// The better of the two, once the interval excludes zero and there are enough labels.
pub fn better(evidence: Evidence, plan: Plan) -> Option<Side> {
    if evidence.fewest_labelled() < plan.minimum_labelled.max(1) {
        return None;
    }
    let Interval { low, high } = interval(evidence, plan);
    match (low > 0.0, high < 0.0) {
        (true, _) => Some(Side::First),
        (_, true) => Some(Side::Second),
        _ => None,
    }
}

/// Decides, or says how much is still needed.
pub fn decide(evidence: Evidence, plan: Plan) -> Decision {
    better(evidence, plan).map_or_else(|| Decision::NotYet(need(evidence, plan)), Decision::BetterIs)
}

/// How much is still needed, by conditional power: the fewest further sentences after which, given what was observed
/// so far and the assumed difference from here on, the interval excludes zero with a probability of 80%.
///
/// Where less than that remains to the minimum of labelled sentences, the minimum is what is needed.
pub fn need(evidence: Evidence, plan: Plan) -> Need {
    let observed = evidence.difference().unwrap_or(0.0);
    let assuming = assumed(observed, evidence.fixed_interval(), plan.worth_finding);
    let n = real(evidence.clock());
    let deviation = evidence.standard_deviation();
    // Observations by the clock of the interval, and all that come with them as long as the proportion stays.
    let per_tick = if evidence.clock() == 0 { 1.0 } else { real(evidence.n()) / n };
    let enough = |more: u64| {
        let further = real(more) / per_tick;
        let mean = (n * observed.abs() + further * assuming) / (n + further);
        let noise = deviation * further.sqrt() / (n + further);
        mean - Z_POWER_80 * noise > deviation * plan.boundary(n + further)
    };
    let shortfall = evidence.shortfall(plan.minimum_labelled);
    Need { sentences: fewest(enough).map(|more| more.max(shortfall)), assuming }
}

/// The difference nearest to the one worth finding that the fixed interval allows, in the observed direction; in either
/// one where there is none.
fn assumed(observed: f64, fixed: Interval, worth_finding: f64) -> f64 {
    let nearest = |Interval { low, high }: Interval| worth_finding.min(high).max(low).clamp(0.0, 1.0);
    if observed > 0.0 {
        nearest(fixed)
    } else if observed < 0.0 {
        nearest(fixed.negated())
    } else {
        nearest(fixed).max(nearest(fixed.negated()))
    }
}

/// The least number from 1 to [`FAR`] that is enough, where every larger one is as well.
fn fewest(enough: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut too_few, mut high) = (0, FAR);
    if !enough(high) {
        return None;
    }
    while high - too_few > 1 {
        let middle = too_few.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            too_few = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Pairs, Score, newcombe};

    const PLAN: Plan =
        Plan { looks: Looks::Any, alpha: 0.05, planned: 5_000, minimum_labelled: 30, worth_finding: 0.10 };

    fn independent(first: (u64, u64), second: (u64, u64)) -> Evidence {
        Evidence::Independent { first: Score::new(first.0, first.1), second: Score::new(second.0, second.1) }
    }

    #[test]
    fn never_decides_before_the_minimum() {
        assert_eq!(better(independent((29, 0), (0, 29)), PLAN), None);
        assert_eq!(better(independent((10_000, 0), (0, 29)), PLAN), None);
        assert_eq!(better(independent((30, 0), (0, 30)), PLAN), Some(Side::First));
        let pairs = |n| Evidence::Paired(Pairs { only_second: n, ..Pairs::default() });
        assert_eq!(better(pairs(29), PLAN), None);
        assert_eq!(better(pairs(30), PLAN), Some(Side::Second));
        let Decision::NotYet(need) = decide(pairs(29), PLAN) else { panic!("decided at 29") };
        assert_eq!(need.sentences, Some(1));
    }

    #[test]
    fn says_what_is_needed() {
        for (name, evidence, sentences, assuming) in [
            // Nothing known: the worst case of two coins.
            ("nothing", independent((0, 0), (0, 0)), Some(1_000..2_000), 0.10),
            ("as good so far", independent((85, 15), (85, 15)), Some(500..1_500), 0.10),
            // A large difference: the interval's lower bound is assumed.
            ("nearly decided", independent((40, 60), (70, 30)), Some(1..250), 0.16),
            // Ten points are ruled out: as much as is not ruled out is assumed.
            ("about equal", independent((850, 150), (849, 151)), Some(2_000..50_000), 0.03),
            ("equal", independent((8_000_000, 0), (8_000_000, 0)), None, 0.0),
            ("no pairs", Evidence::Paired(Pairs::default()), Some(500..1_000), 0.10),
            (
                "few discordant pairs",
                Evidence::Paired(Pairs { both: 90, neither: 4, only_first: 4, only_second: 2 }),
                Some(50..400),
                0.08,
            ),
        ] {
            let need = need(evidence, PLAN);
            assert!((need.assuming - assuming).abs() < 0.01, "{name}: {need:?}");
            match (&sentences, need.sentences) {
                (Some(range), Some(more)) => assert!(range.contains(&more), "{name}: {need:?}"),
                (None, None) => {}
                _ => panic!("{name}: {need:?}"),
            }
        }
    }

    /// The data set that made the rule: 8.5 points worse, McNemar's p 0.0006.
    #[test]
    fn one_look_decides_by_the_fixed_interval() {
        let pairs = Pairs { both: 143, only_first: 46, only_second: 18, neither: 123 };
        assert_eq!(better(Evidence::Paired(pairs), PLAN), None);
        assert_eq!(better(Evidence::Paired(pairs), Plan::once()), Some(Side::First));
        let (ours, newcombes) = (interval(Evidence::Paired(pairs), Plan::once()), newcombe::paired(pairs));
        assert!((ours.low - newcombes.low).abs() < 1e-12 && (ours.high - newcombes.high).abs() < 1e-12);
        // Shared by several comparisons, it is wider.
        let shared = interval(Evidence::Paired(pairs), Plan::once().shared_by(3));
        assert!(shared.low < ours.low && shared.high > ours.high);
    }

    #[test]
    fn one_look_needs_less() {
        let evidence = Evidence::Paired(Pairs { both: 90, neither: 4, only_first: 4, only_second: 2 });
        let [any, once] = [PLAN, Plan::once()].map(|plan| need(evidence, plan).sentences.unwrap());
        assert!(once < any, "{once} and {any}");
    }

    #[test]
    fn comparisons_share_alpha() {
        assert!((PLAN.shared_by(3).alpha - 0.05 / 3.0).abs() < 1e-18);
        assert_eq!(PLAN.shared_by(0), PLAN);
    }
}

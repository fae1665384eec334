//! The interval that decides: it holds at every look, however often one looks, and so may a decision be made as soon
//! as it excludes zero.
//!
//! It is an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476): about
//! 1.7 times as wide as a fixed-sample interval at n = 1,000, which is the price of looking every day.
//!
//! The standard error is taken from smoothed shares (one right and one wrong answer added to each variant, Agresti and
//! Caffo 2000; half a sentence added to each of the four kinds of pairs, Agresti and Min 2005), so that a variant that
//! made no mistake yet does not pass for one that makes none. The difference itself is the observed one.

use super::{Interval, Pairs, Score, Z_POWER_80, newcombe, real};

/// Beyond this many labelled sentences more, nothing is promised: the difference is too small to matter to a person
/// who labels sentences.
const FAR: u64 = 1_000_000;

/// What is settled before the first look. Changing it after having looked voids the guarantee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The accepted probability of ever calling equal variants different, in `0..1`.
    pub alpha: f64,
    /// N*: the number of observations (or pairs) at which the interval is tightest. At least 1.
    pub planned: u64,
    /// Labelled observations per variant before which nothing is decided: the normal approximation has to hold.
    pub minimum_labelled: u64,
    /// The smallest difference of accuracies worth finding, in `0..=1`. It sets how many sentences are asked for, and
    /// has no part in the decision.
    pub worth_finding: f64,
}

impl Default for Plan {
    /// 5 %, tightest at 5,000, never before 30 per variant, ten points of accuracy.
    fn default() -> Self {
        Self { alpha: 0.05, planned: 5_000, minimum_labelled: 30, worth_finding: 0.10 }
    }
}

impl Plan {
    /// The same plan for each of several comparisons, α divided among them (Bonferroni), so that α bounds the
    /// probability of a single false decision among all.
    #[must_use]
    pub fn shared_by(self, comparisons: usize) -> Self {
        Self { alpha: self.alpha / real(comparisons.max(1) as u64), ..self }
    }
}

/// Labelled observations of two variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Each variant saw sentences of its own. (Where some were the same for both, the interval is wider than it need
    /// be, and still holds.)
    Independent {
        /// The first variant's score.
        first: Score,
        /// The second variant's score.
        second: Score,
    },
    /// Both variants saw the same sentences.
    Paired(Pairs),
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
    /// The always-valid interval contains zero, or there are too few labels.
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
    /// The assumed difference, in `0..=1`: the one worth finding or, where the 95 % interval of the observed difference
    /// rules that out, its nearest bound.
    pub assuming: f64,
}

/// Half the width of the interval at significance `alpha`:
/// `se·√n·√(2(nρ²+1)·ln(√(nρ²+1)/α) / (nρ)²)`, `ρ = √((−2 ln α + ln(−2 ln α + 1)) / N*)`.
///
/// `standard_error` is that of the difference, `n` counts all observations (or pairs; see [`Evidence::clock`]), and N* is
/// `planned`. Infinite for n = 0.
pub fn half_width(standard_error: f64, n: u64, alpha: f64, planned: u64) -> f64 {
    if n == 0 {
        return f64::INFINITY;
    }
    standard_error * real(n).sqrt() * boundary(real(n), alpha, planned)
}

/// The half-width for a standard deviation of 1 per observation.
fn boundary(n: f64, alpha: f64, planned: u64) -> f64 {
    let surprise = -2.0 * alpha.ln();
    let rho_squared = (surprise + surprise.ln_1p()) / real(planned.max(1));
    let spread = n * rho_squared + 1.0;
    (2.0 * spread * (spread.sqrt() / alpha).ln() / (n * n * rho_squared)).sqrt()
}

/// The always-valid interval of first − second, within `-1..=1`. It contains the observed difference.
pub fn interval(evidence: Evidence, plan: Plan) -> Interval {
    let Some(difference) = evidence.difference() else {
        return Interval::ANY_DIFFERENCE;
    };
    let half_width = half_width(evidence.standard_error(), evidence.clock(), plan.alpha, plan.planned);
    Interval { low: (difference - half_width).max(-1.0), high: (difference + half_width).min(1.0) }
}

/// The better of the two, once the always-valid interval excludes zero and there are enough labels.
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
/// so far and the assumed difference from here on, the interval excludes zero with a probability of 80 %.
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
        mean - Z_POWER_80 * noise > deviation * boundary(n + further, plan.alpha, plan.planned)
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

impl Evidence {
    /// Observations of both variants, or pairs.
    pub fn n(self) -> u64 {
        match self {
            Self::Independent { first, second } => first.n().saturating_add(second.n()),
            Self::Paired(pairs) => pairs.n(),
        }
    }

    /// The n of the interval: pairs, or twice the observations of the variant that has fewer. Those are all observations
    /// where both get equally many. Where one gets a tenth, the interval knows no more than that tenth allows: with all
    /// observations as n, equal variants with an accuracy of 0.97 would be called different in 6 % of experiments.
    pub fn clock(self) -> u64 {
        match self {
            Self::Independent { first, second } => first.n().min(second.n()).saturating_mul(2),
            Self::Paired(pairs) => pairs.n(),
        }
    }

    /// The observed difference, first − second; `None` where one variant has no observations.
    pub fn difference(self) -> Option<f64> {
        match self {
            Self::Independent { first, second } => Some(first.accuracy()? - second.accuracy()?),
            Self::Paired(pairs) => {
                (pairs.n() > 0).then(|| (real(pairs.only_first) - real(pairs.only_second)) / real(pairs.n()))
            }
        }
    }

    /// Newcombe's 95 % interval of the difference, which describes.
    pub fn fixed_interval(self) -> Interval {
        match self {
            Self::Independent { first, second } => newcombe::independent(first, second),
            Self::Paired(pairs) => newcombe::paired(pairs),
        }
    }

    /// The standard error of the difference, from smoothed shares; infinite where one variant has no observations.
    pub fn standard_error(self) -> f64 {
        match self {
            Self::Independent { first, second } => {
                (variance(first) / real(first.n()) + variance(second) / real(second.n())).sqrt()
            }
            Self::Paired(pairs) => self.standard_deviation() / real(pairs.n()).sqrt(),
        }
    }

    /// The standard error times √n by the [`clock`](Self::clock); where one variant has no observations yet, as if both
    /// got equally many.
    fn standard_deviation(self) -> f64 {
        match self {
            Self::Independent { first, second } if first.n() == 0 || second.n() == 0 => {
                (2.0 * (variance(first) + variance(second))).sqrt()
            }
            Self::Independent { .. } => self.standard_error() * real(self.clock()).sqrt(),
            Self::Paired(pairs) => {
                let n = real(pairs.n()) + 2.0;
                let discordant = (real(pairs.only_first) + real(pairs.only_second) + 1.0) / n;
                let difference = (real(pairs.only_first) - real(pairs.only_second)) / n;
                (discordant - difference * difference).sqrt()
            }
        }
    }

    fn fewest_labelled(self) -> u64 {
        match self {
            Self::Independent { first, second } => first.n().min(second.n()),
            Self::Paired(pairs) => pairs.n(),
        }
    }

    /// Labelled sentences that are missing to the minimum per variant.
    fn shortfall(self, minimum: u64) -> u64 {
        match self {
            Self::Independent { first, second } => {
                minimum.saturating_sub(first.n()).saturating_add(minimum.saturating_sub(second.n()))
            }
            Self::Paired(pairs) => minimum.saturating_sub(pairs.n()),
        }
    }
}

/// The variance of one answer being right, never 0.
fn variance(score: Score) -> f64 {
    let share = score.smoothed();
    share * (1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { alpha: 0.05, planned: 5_000, minimum_labelled: 30, worth_finding: 0.10 };

    fn independent(first: (u64, u64), second: (u64, u64)) -> Evidence {
        Evidence::Independent { first: Score::new(first.0, first.1), second: Score::new(second.0, second.1) }
    }

    #[test]
    fn is_about_1_7_times_as_wide_as_the_fixed_interval_at_1000() {
        let ratio = half_width(1.0, 1_000, 0.05, 5_000) / super::super::Z_95;
        assert!((1.65..1.75).contains(&ratio), "{ratio}");
    }

    #[test]
    fn is_tightest_against_a_fixed_interval_at_the_planned_size() {
        // The half-width in standard errors, by n: least close to N* (exactly so as α → 0).
        let errors = |n: u64| half_width(1.0, n, 0.05, 500);
        for n in [100, 250, 1_000, 2_500] {
            assert!(errors(500) < errors(n), "{n}");
        }
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

    #[test]
    fn comparisons_share_alpha() {
        assert!((PLAN.shared_by(3).alpha - 0.05 / 3.0).abs() < 1e-18);
        assert_eq!(PLAN.shared_by(0), PLAN);
    }
}

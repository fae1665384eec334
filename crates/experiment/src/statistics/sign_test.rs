//! The exact sign test that holds however often one looks: what decides between prompts that answered the same sentences.
//!
//! Only sentences to which two prompts gave different outcomes tell them apart: on the others the difference is 0, whatever is right. Of
//! those that people annotated, let b be the number on which only the first is right, and c that on which only the second is. If both
//! are equally often right, each of the b + c is a fair coin, whatever came before.
//!
//! The evidence is a mixture of likelihood ratios over all alternatives, with the weight of Krichevsky and Trofimov (1981):
//! `E = B(½ + b, ½ + c) / B(½, ½) · 2^(b + c)`, B being the beta function. It starts at 1 and is a martingale among equals, so the
//! probability that it *ever* reaches 1/α is at most α (Ville 1939): to look after every annotation costs nothing, no approximation is
//! involved, and there is no least number. See Ramdas and others, Game-theoretic statistics and safe anytime-valid inference, arXiv
//! 2210.01948.
//!
//! It holds if what is annotated is a fair sample of what differs.

use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use super::{Interval, Z_95, Z_POWER_80, decision::Side, real};

/// Beyond this many annotations more, nothing is promised: nobody will make them.
const FAR: u64 = 100_000;

/// Halvings after which a bound of an interval no longer changes as an `f64`.
const HALVINGS: u32 = 60;

/// What is assumed before the first annotation, as if so many had been made: of the two, the leading prompt is right on this share of
/// those on which exactly one is, and those are this share of all. Both only say how many annotations to expect.
const ASSUMED: f64 = 4.0;
const ASSUMED_LEAD: f64 = 0.85;
const ASSUMED_DECISIVE: f64 = 0.8;

/// Annotated sentences to which two prompts gave different outcomes, exactly one of them right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signs {
    /// Only the first is right (b).
    pub first: u64,
    /// Only the second is right (c).
    pub second: u64,
}

/// Sentences that two prompts answered, and what people said about those on which they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Disagreements {
    /// Sentences that both answered.
    pub compared: u64,
    /// Those with different outcomes.
    pub differ: u64,
    /// Those of the latter that people annotated.
    pub annotated: u64,
    /// Those of these on which exactly one is right.
    pub signs: Signs,
}

/// A part of all sentences, some of which people annotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stratum {
    /// Sentences in all.
    pub size: u64,
    /// Those that were annotated.
    pub annotated: u64,
    /// Those of these on which the prompt is right.
    pub right: u64,
}

impl Signs {
    /// All of them.
    pub const fn n(self) -> u64 {
        self.first.saturating_add(self.second)
    }

    /// The same with first and second exchanged.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Self { first: self.second, second: self.first }
    }
}

/// The natural logarithm of the [`evidence`].
pub fn ln_evidence(signs: Signs) -> f64 {
    ln_evidence_of(real(signs.first), real(signs.second))
}

/// The evidence that one of two prompts is right more often, E: 1 before the first annotation, at least 0, infinite beyond `f64`.
pub fn evidence(signs: Signs) -> f64 {
    ln_evidence(signs).exp()
}

/// The better of the two, once the evidence is at least 1/α; `alpha` is the accepted probability of ever naming one among equals.
pub fn better(signs: Signs, alpha: f64) -> Option<Side> {
    if ln_evidence(signs) < -alpha.ln() {
        None
    } else if signs.first > signs.second {
        Some(Side::First)
    } else {
        Some(Side::Second)
    }
}

/// About how many more annotations of sentences on which the two differ it takes to decide, after `annotated` of them: the fewest after
/// which the evidence suffices in about 8 of 10 cases, if the side that leads goes on as before. At least 1; `None` where it would take
/// more than 100,000.
///
/// What was observed is taken together with four annotations' worth of assumptions (a lead of 0.85 where one is right, which is on 0.8 of
/// all), so that the first annotations do not decide what is expected.
pub fn needed(signs: Signs, annotated: u64, alpha: f64) -> Option<u64> {
    let (lead, n) = (real(signs.first.max(signs.second)), real(signs.n()));
    let share = (lead + ASSUMED * ASSUMED_LEAD) / (n + ASSUMED);
    let decisive = (n + ASSUMED) / (real(annotated).max(n) + ASSUMED / ASSUMED_DECISIVE);
    let enough = |more: u64| {
        let further = real(more) * decisive;
        let wins = further * share - Z_POWER_80 * (further * share * (1.0 - share)).sqrt();
        let (first, second) = (lead + wins.max(0.0), n - lead + further - wins.max(0.0));
        first > second && ln_evidence_of(first, second) >= -alpha.ln()
    };
    // More is not always enough where fewer is, as long as the lead is small: the first number that is enough counts.
    let (mut too_few, mut high) = (0_u64, 1_u64);
    while !enough(high) {
        (too_few, high) = (high, high * 2);
        if high > FAR {
            return None;
        }
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

/// The interval of a share that holds at every look with confidence 1 − `alpha`: all θ with
/// `B(½ + b, ½ + c) / B(½, ½) / (θ^b (1 − θ)^c) < 1/α`. It contains the observed share, and is `0..=1` before the first observation.
pub fn share_interval(successes: u64, failures: u64, alpha: f64) -> Interval {
    let (b, c) = (real(successes), real(failures));
    let mixture = ln_mixture(b, c);
    let excluded = |share: f64| {
        let likelihood = weighted_ln(b, share) + weighted_ln(c, 1.0 - share);
        mixture - likelihood >= -alpha.ln()
    };
    let observed = if b + c > 0.0 { b / (b + c) } else { 0.5 };
    let bound = |mut outside: f64| {
        let mut inside = observed;
        for _ in 0..HALVINGS {
            let middle = outside.midpoint(inside);
            if excluded(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        inside
    };
    Interval {
        low: if successes == 0 { 0.0 } else { bound(0.0) },
        high: if failures == 0 { 1.0 } else { bound(1.0) },
    }
}

/// The difference of accuracies, first − second: the share of sentences on which the two differ, times the difference on those that were
/// annotated. `None` without any.
pub fn difference(seen: &Disagreements) -> Option<f64> {
    (seen.compared > 0 && seen.annotated > 0).then(|| {
        let ahead = real(seen.signs.first) - real(seen.signs.second);
        real(seen.differ) / real(seen.compared) * ahead / real(seen.annotated)
    })
}

/// The interval of the difference that holds at every look with confidence 1 − `alpha`. The difference is P(the two differ) · P(exactly one
/// is right | they differ) · (2θ − 1), so each factor gets an interval at α/3 (Bonferroni).
pub fn difference_interval(seen: &Disagreements, alpha: f64) -> Interval {
    let &Disagreements { compared, differ, annotated, signs } = seen;
    let each = alpha / 3.0;
    let differ = share_interval(differ, compared.saturating_sub(differ), each);
    let decisive = share_interval(signs.n(), annotated.saturating_sub(signs.n()), each);
    let lead = share_interval(signs.first, signs.second, each);
    let weight = Interval { low: differ.low * decisive.low, high: differ.high * decisive.high };
    let (low, high) = (2.0 * lead.low - 1.0, 2.0 * lead.high - 1.0);
    Interval {
        low: low * if low < 0.0 { weight.high } else { weight.low },
        high: high * if high < 0.0 { weight.low } else { weight.high },
    }
}

/// The accuracy of a prompt from a fair sample of each stratum: Σ size · right / annotated over all sizes, with its 95% interval. `None`
/// while a stratum has sentences and none of them is annotated.
///
/// The textbook estimator of stratified sampling (Cochran, Sampling Techniques, chapter 5), its variance from shares smoothed by one
/// success and one failure (Agresti and Caffo 2000), so that it is never 0.
pub fn stratified_accuracy(strata: [Stratum; 2]) -> Option<(f64, Interval)> {
    let size = strata.iter().map(|stratum| real(stratum.size)).sum::<f64>();
    if size == 0.0 || strata.iter().any(|stratum| stratum.size > 0 && stratum.annotated == 0) {
        return None;
    }
    let (mut accuracy, mut variance) = (0.0, 0.0);
    for Stratum { size: its_size, annotated, right } in strata.into_iter().filter(|stratum| stratum.size > 0)
    {
        let (weight, annotated, right) = (real(its_size) / size, real(annotated), real(right));
        let smoothed = (right + 1.0) / (annotated + 2.0);
        accuracy += weight * right / annotated;
        variance += weight * weight * smoothed * (1.0 - smoothed) / annotated;
    }
    let reach = Z_95 * variance.sqrt();
    let interval = Interval { low: (accuracy - reach).max(0.0), high: (accuracy + reach).min(1.0) };
    Some((accuracy, interval))
}

/// ln(B(½ + b, ½ + c) / B(½, ½)); B(½, ½) is π.
fn ln_mixture(b: f64, c: f64) -> f64 {
    ln_gamma(b + 0.5) + ln_gamma(c + 0.5) - ln_gamma(b + c + 1.0) - std::f64::consts::PI.ln()
}

fn ln_evidence_of(b: f64, c: f64) -> f64 {
    ln_mixture(b, c) + (b + c) * std::f64::consts::LN_2
}

/// n · ln(share), where 0 · ln 0 is 0.
fn weighted_ln(n: f64, share: f64) -> f64 {
    if n == 0.0 { 0.0 } else { n * share.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values() {
        for (first, second, expected, low, high) in [
            (5, 0, "7.875", "0.414968", "1.000000"),
            (6, 0, "14.4375", "0.473566", "1.000000"),
            (8, 0, "50.2734", "0.561059", "1.000000"),
            (12, 2, "10.8823", "0.470799", "0.994026"),
            (10, 10, "0.176197", "0.193004", "0.806996"),
            (60, 40, "0.596072", "0.434315", "0.751430"),
        ] {
            let decimals = expected.len() - expected.find('.').unwrap() - 1;
            let evidence = evidence(Signs { first, second });
            assert_eq!(format!("{evidence:.decimals$}"), expected, "{first}, {second}");
            let interval = share_interval(first, second, 0.05);
            let shown = (format!("{:.6}", interval.low), format!("{:.6}", interval.high));
            assert_eq!(shown, (low.to_owned(), high.to_owned()), "{first}, {second}");
        }
    }

    #[test]
    fn decides_at_one_in_alpha() {
        let signs = |first, second| Signs { first, second };
        assert_eq!(better(Signs::default(), 0.05), None);
        assert_eq!(better(signs(6, 0), 0.05), None);
        assert_eq!(better(signs(7, 0), 0.05), Some(Side::First));
        assert_eq!(better(signs(0, 7), 0.05), Some(Side::Second));
        assert_eq!(better(signs(7, 0), 0.05 / 3.0), None);
        assert_eq!(better(signs(100_000, 100_000), 0.05), None);
        assert_eq!(better(signs(u64::MAX, 0), 1e-9), Some(Side::First));
    }

    #[test]
    fn what_is_needed() {
        let needed = |first, second, annotated| needed(Signs { first, second }, annotated, 0.05);
        // Simulated, 8 of 10 decide within 27 where the lead is 0.86.
        assert!(needed(0, 0, 0).is_some_and(|more| (20..=40).contains(&more)), "{:?}", needed(0, 0, 0));
        assert!(needed(6, 0, 6).is_some_and(|more| more <= 4), "{:?}", needed(6, 0, 6));
        assert!(needed(6, 0, 6) < needed(6, 2, 8) && needed(6, 2, 8) < needed(6, 4, 10));
        assert!(needed(6, 2, 8) < needed(6, 2, 20), "where often neither is right, it takes more");
        assert!(needed(30, 29, 60).is_some_and(|more| more > 500));
        assert_eq!(needed(100_000, 100_000, 200_000), None);
    }

    #[test]
    fn differences() {
        let seen =
            Disagreements { compared: 100, differ: 20, annotated: 10, signs: Signs { first: 8, second: 1 } };
        let value = difference(&seen).unwrap();
        assert!((value - 0.2 * 0.7).abs() < 1e-12);
        let interval = difference_interval(&seen, 0.05);
        assert!(interval.contains(value) && interval.low > -0.2 && interval.high < 0.4, "{interval:?}");
        let mirrored = difference_interval(&Disagreements { signs: seen.signs.swapped(), ..seen }, 0.05);
        assert!((mirrored.low + interval.high).abs() < 1e-9 && (mirrored.high + interval.low).abs() < 1e-9);
        assert_eq!(difference(&Disagreements::default()), None);
        assert_eq!(difference_interval(&Disagreements::default(), 0.05), Interval::ANY_DIFFERENCE);
    }

    #[test]
    fn strata() {
        let stratum = |size, annotated, right| Stratum { size, annotated, right };
        let (accuracy, interval) = stratified_accuracy([stratum(20, 10, 5), stratum(80, 8, 8)]).unwrap();
        assert!((accuracy - 0.9).abs() < 1e-12);
        assert!(interval.contains(accuracy) && interval.low > 0.7 && interval.high > 0.95, "{interval:?}");
        assert_eq!(stratified_accuracy([stratum(20, 10, 5), stratum(80, 0, 0)]), None);
        assert_eq!(stratified_accuracy([Stratum::default(); 2]), None);
        assert!(stratified_accuracy([stratum(20, 10, 5), Stratum::default()]).is_some());
    }
}

//! What holds of every formula for any counts.

use experiment::statistics::{
    Evidence, Interval, Pairs, Score, bayes,
    classification::Confusion,
    decision::{self, Decision, Looks, Plan, Side},
    mcnemar, newcombe,
    sample_ratio::{self, Assigned},
    sample_size, wilson,
};
use proptest::prelude::*;

/// Counts of every order of magnitude, 0 included.
fn count() -> impl Strategy<Value = u64> {
    (0_u32..22, any::<u64>()).prop_map(|(bits, random)| random % (1 << bits))
}

prop_compose! {
    fn score()(correct in count(), wrong in count()) -> Score {
        Score::new(correct, wrong)
    }
}

prop_compose! {
    fn pairs()(both in count(), only_first in count(), only_second in count(), neither in count()) -> Pairs {
        Pairs { both, only_first, only_second, neither }
    }
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        (score(), score()).prop_map(|(first, second)| Evidence::Independent { first, second }),
        pairs().prop_map(Evidence::Paired),
    ]
}

fn swapped(evidence: Evidence) -> Evidence {
    match evidence {
        Evidence::Independent { first, second } => Evidence::Independent { first: second, second: first },
        Evidence::Paired(pairs) => Evidence::Paired(pairs.swapped()),
    }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// The interval is one, lies within `lowest..=1`, and contains the estimate.
fn sound(interval: Interval, lowest: f64, estimate: Option<f64>) -> bool {
    let Interval { low, high } = interval;
    lowest <= low && low <= high && high <= 1.0 && estimate.is_none_or(|estimate| interval.contains(estimate))
}

proptest! {
    #[test]
    fn intervals(score in score(), evidence in evidence()) {
        let plan = Plan::default();
        prop_assert!(sound(wilson::interval(score), 0.0, score.accuracy()));
        prop_assert!(sound(evidence.fixed_interval(), -1.0, evidence.difference()));
        prop_assert!(sound(decision::interval(evidence, plan), -1.0, evidence.difference()));
        for of in [|evidence| decision::interval(evidence, Plan::default()), Evidence::fixed_interval] {
            let (here, there) = (of(evidence), of(swapped(evidence)).negated());
            prop_assert!(near(here.low, there.low) && near(here.high, there.high));
        }
        let complement = wilson::interval(Score::new(score.wrong, score.correct));
        prop_assert!(near(wilson::interval(score).low, 1.0 - complement.high));
    }

    #[test]
    fn the_paired_interval_without_correlation_is_the_independent_one(pairs in pairs()) {
        let (first, second) = (pairs.first(), pairs.second());
        prop_assert!(sound(newcombe::paired(pairs), -1.0, first.accuracy().zip(second.accuracy()).map(|(p, q)| p - q)));
        if first.correct == 0 || second.wrong == 0 {
            prop_assert_eq!(newcombe::paired(pairs), newcombe::independent(first, second));
        }
    }

    #[test]
    fn probabilities(first in score(), second in score(), pairs in pairs()) {
        let p = mcnemar::p_value(pairs);
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!(near(p, mcnemar::p_value(pairs.swapped())));
        let chance = bayes::chance_to_win(first, second);
        prop_assert!((0.0..=1.0).contains(&chance));
        prop_assert!(near(chance + bayes::chance_to_win(second, first), 1.0));
        let loss = bayes::expected_loss(first, second);
        prop_assert!((0.0..=1.0).contains(&loss));
        // One more right answer never lowers the chance.
        prop_assert!(bayes::chance_to_win(first, Score::new(second.correct + 1, second.wrong)) >= chance - 1e-9);
    }

    #[test]
    fn decisions(
        evidence in evidence(),
        looks in prop::sample::select(vec![Looks::Any, Looks::Once]),
        alpha in 0.0001..0.5,
        planned in 0_u64..1_000_000,
        worth in 0.0..1.0,
    ) {
        let plan = Plan { looks, alpha, planned, minimum_labelled: 30, worth_finding: worth };
        match (decision::decide(evidence, plan), decision::decide(swapped(evidence), plan)) {
            (Decision::BetterIs(one), Decision::BetterIs(other)) => {
                prop_assert!(one != other);
                let difference = evidence.difference().unwrap();
                prop_assert_eq!(one == Side::First, difference > 0.0);
                prop_assert!(!decision::interval(evidence, plan).contains(0.0));
            }
            (Decision::NotYet(need), Decision::NotYet(other)) => {
                prop_assert!((0.0..=1.0).contains(&need.assuming));
                prop_assert!(near(need.assuming, other.assuming));
                prop_assert!(need.sentences.is_none_or(|sentences| sentences > 0));
            }
            different => prop_assert!(false, "{:?}", different),
        }
    }

    #[test]
    fn sample_ratios(counts in prop::collection::vec((count(), prop::num::f64::ANY), 0..6)) {
        let assigned: Vec<_> = counts.into_iter().map(|(count, weight)| Assigned { count, weight }).collect();
        if let Some(result) = sample_ratio::test(&assigned) {
            prop_assert!((0.0..=1.0).contains(&result.p_value));
            prop_assert!(!result.mismatch || result.p_value < sample_ratio::THRESHOLD);
        }
    }

    #[test]
    fn sample_sizes(p1 in prop::num::f64::ANY, p2 in -0.1..1.1, small in 0.0..1.0) {
        for size in [sample_size::independent(p1, p2), sample_size::independent(small, p2), sample_size::paired(small, p2)] {
            prop_assert!(size.is_none_or(|size| size > 0));
        }
        prop_assert!(sample_size::paired(p1, small).is_none_or(|_| small <= p1 && p1 <= 1.0));
    }

    #[test]
    fn confusions(observations in prop::collection::vec((0_usize..4, prop::option::of(0_usize..4)), 0..50)) {
        let mut confusion = Confusion::new(3);
        for (expected, outcome) in &observations {
            confusion.add(*expected, *outcome);
        }
        let labelled = observations.iter().filter(|(expected, _)| *expected < 3).count();
        prop_assert_eq!(confusion.score().n(), labelled as u64);
        prop_assert_eq!(confusion.macro_f1().is_some(), labelled > 0);
        prop_assert!(confusion.macro_f1().is_none_or(|f1| (0.0..=1.0).contains(&f1)));
        prop_assert_eq!(confusion.macro_f1() == Some(1.0), labelled > 0 && confusion.score().wrong == 0);
    }
}

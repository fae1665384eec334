//! What the sign test promises, tried: experiments whose truth is known, looked at after every annotation.
//!
//! Everything is drawn from a seeded generator, so that a run repeats exactly on any machine.

use experiment::statistics::sign_test::{
    Disagreements, Signs, Stratum, better, difference_interval, stratified_accuracy,
};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

const EXPERIMENTS: u64 = 2_000;
const ALPHA: f64 = 0.05;

/// The shares of sentences on which both are right, only the first, only the second, and both are wrong in different ways; on the rest both
/// are wrong alike.
#[derive(Clone, Copy)]
struct World {
    both: f64,
    first: f64,
    second: f64,
    neither: f64,
}

/// .90 against .80.
const TEN_POINTS: World = World { both: 0.78, first: 0.12, second: 0.02, neither: 0.03 };

/// .85 against .80.
const FIVE_POINTS: World = World { both: 0.77, first: 0.08, second: 0.03, neither: 0.03 };

/// .85 against .85.
const EQUAL: World = World { both: 0.78, first: 0.07, second: 0.07, neither: 0.03 };

/// What became of a sentence.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    BothRight,
    OnlyFirst,
    OnlySecond,
    WrongDifferently,
    WrongAlike,
}

impl World {
    fn sentence(self, random: &mut SmallRng) -> Seen {
        let mut place: f64 = random.random();
        for (share, seen) in [
            (self.both, Seen::BothRight),
            (self.first, Seen::OnlyFirst),
            (self.second, Seen::OnlySecond),
            (self.neither, Seen::WrongDifferently),
        ] {
            if place < share {
                return seen;
            }
            place -= share;
        }
        Seen::WrongAlike
    }

    /// A sentence on which the two differ.
    fn disagreement(self, random: &mut SmallRng) -> Seen {
        loop {
            let seen = self.sentence(random);
            if differs(seen) {
                return seen;
            }
        }
    }

    /// After how many annotations of disagreements it is decided, if it is.
    fn decided_after(self, seed: u64, most: u64) -> Option<u64> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut signs = Signs::default();
        (1..=most).find(|_| {
            count(&mut signs, self.disagreement(&mut random));
            better(signs, ALPHA).is_some()
        })
    }

    /// The median and the eighth tenth of the annotations until decided.
    fn median_and_eight_of_ten(self) -> (u64, u64) {
        let mut after: Vec<_> =
            (0..EXPERIMENTS).map(|seed| self.decided_after(seed, 5_000).unwrap_or(u64::MAX)).collect();
        after.sort_unstable();
        (after[after.len() / 2], after[after.len() * 8 / 10])
    }
}

const fn differs(seen: Seen) -> bool {
    matches!(seen, Seen::OnlyFirst | Seen::OnlySecond | Seen::WrongDifferently)
}

fn count(signs: &mut Signs, seen: Seen) {
    match seen {
        Seen::OnlyFirst => signs.first += 1,
        Seen::OnlySecond => signs.second += 1,
        _ => {}
    }
}

#[test]
fn a_tenth_of_the_annotations_decides() {
    let (median, eight_of_ten) = TEN_POINTS.median_and_eight_of_ten();
    println!(".90 against .80: {median}, 8 of 10 within {eight_of_ten}");
    assert!(median <= 20 && eight_of_ten <= 30);
    let (median, eight_of_ten) = FIVE_POINTS.median_and_eight_of_ten();
    println!(".85 against .80: {median}, 8 of 10 within {eight_of_ten}");
    assert!(eight_of_ten <= 90);
}

#[test]
fn equals_are_called_different_in_at_most_5_percent_however_often_one_looks() {
    let called =
        (10_000..10_000 + EXPERIMENTS).filter(|seed| EQUAL.decided_after(*seed, 5_000).is_some()).count();
    println!("equal, 5,000 looks: {called} of {EXPERIMENTS}");
    assert!(called <= 100);
}

/// In how many experiments the difference, `truth`, is outside of its interval after some annotation. Half of the sentences on which the
/// two differ find somebody who annotates.
fn missed(world: World, truth: f64, annotations: u64) -> usize {
    let holds = |seed: u64| {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut seen = Disagreements::default();
        let mut holds = true;
        while seen.annotated < annotations && holds {
            let sentence = world.sentence(&mut random);
            seen.compared += 1;
            if differs(sentence) {
                seen.differ += 1;
                if random.random_bool(0.5) {
                    seen.annotated += 1;
                    count(&mut seen.signs, sentence);
                    holds = difference_interval(&seen, ALPHA).contains(truth);
                }
            }
        }
        holds
    };
    (0..EXPERIMENTS).filter(|seed| !holds(*seed)).count()
}

#[test]
fn the_interval_of_the_difference_holds_at_every_look() {
    for (world, truth) in [(TEN_POINTS, 0.10), (EQUAL, 0.0)] {
        let missed = missed(world, truth, 200);
        println!("the difference of {truth} was outside at some look: {missed} of {EXPERIMENTS}");
        assert!(missed <= 100);
    }
}

#[test]
fn the_accuracy_from_both_strata_is_that_of_annotating_everything() {
    let (mut estimates, mut truths, mut covered) = (0.0, 0.0, 0_u32);
    for seed in 0..EXPERIMENTS {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut strata = [Stratum::default(); 2];
        let mut right = 0.0;
        for _ in 0..1_000 {
            let sentence = TEN_POINTS.sentence(&mut random);
            let is_right = matches!(sentence, Seen::BothRight | Seen::OnlyFirst);
            right += f64::from(u8::from(is_right));
            let stratum = &mut strata[usize::from(!differs(sentence))];
            stratum.size += 1;
            // Nine of ten annotations are of disagreements, which are a sixth of all sentences.
            if random.random_bool(if differs(sentence) { 0.5 } else { 0.02 }) {
                stratum.annotated += 1;
                stratum.right += u64::from(is_right);
            }
        }
        let Some((estimate, interval)) = stratified_accuracy(strata) else { continue };
        estimates += estimate;
        truths += right / 1_000.0;
        covered += u32::from(interval.contains(right / 1_000.0));
    }
    let bias = (estimates - truths) / 2_000.0;
    println!("bias {bias:.5}, covered in {covered} of {EXPERIMENTS}");
    assert!(bias.abs() < 0.004);
    assert!(covered > 1_850);
}

/// A third prompt, as good as the first and independent of it, comes after 200 annotations of sentences on which the first two differ.
#[test]
fn annotations_of_sentences_drawn_for_others_would_favour_a_newcomer() {
    let independent = World { both: 0.81, first: 0.09, second: 0.09, neither: 0.003 };
    let (mut with_old, mut without) = (0, 0);
    for seed in 0..EXPERIMENTS {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut signs = Signs::default();
        for _ in 0..200 {
            let first_is_right = TEN_POINTS.disagreement(&mut random) == Seen::OnlyFirst;
            match (first_is_right, random.random_bool(0.9)) {
                (true, false) => signs.first += 1,
                (false, true) => signs.second += 1,
                _ => {}
            }
        }
        with_old += u32::from(better(signs, ALPHA).is_some());
        without += u32::from(independent.decided_after(seed, 500).is_some());
    }
    println!("called different: {with_old} of {EXPERIMENTS} with old annotations, {without} without");
    assert!(without <= 100);
    assert!(with_old >= 1_800, "the reason why old annotations do not count");
}

/// Three prompts that are equally often right; a sentence is drawn where any two of them differ, and α is shared among the three pairs.
#[test]
fn a_sentence_is_fair_to_each_pair_of_several() {
    let mut called = 0;
    for seed in 0..EXPERIMENTS {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut pairs = [Signs::default(); 3];
        let mut different = false;
        for _ in 0..500 {
            // Where all three are right they agree.
            let right = loop {
                let right: [bool; 3] = std::array::from_fn(|_| random.random_bool(0.85));
                if right.contains(&false) {
                    break right;
                }
            };
            for (signs, (one, other)) in pairs.iter_mut().zip([(0, 1), (0, 2), (1, 2)]) {
                signs.first += u64::from(right[one] && !right[other]);
                signs.second += u64::from(right[other] && !right[one]);
                different |= better(*signs, ALPHA / 3.0).is_some();
            }
        }
        called += u32::from(different);
    }
    println!("three equal prompts, 500 looks: {called} of {EXPERIMENTS}");
    assert!(called <= 100);
}

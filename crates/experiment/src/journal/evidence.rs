//! What the annotations say about the prompts.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::Serialize;

use crate::{
    Fingerprint, counter,
    statistics::{
        Interval,
        decision::Side,
        real,
        sign_test::{self, Disagreements, Signs},
    },
};

use super::{Annotation, Round, Said, Stratum, round::round_of};

/// The accepted probability of ever calling equally good prompts different, whoever looks how often.
const ALPHA: f64 = 0.05;

/// The annotations of a journal and the counts of one round, taken entry by entry.
#[derive(Clone, Debug)]
pub struct Evidence {
    round: Round,
    drawn: [u64; 2],
    /// Annotations of sentences that were drawn, those for this round first.
    annotations: BTreeMap<Place, Annotation>,
}

/// Where an annotation belongs: whether to another round, to which, and its sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_other: bool,
    round: String,
    sentence: String,
}

/// How far the annotating has come, in words that favour no prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Sentences drawn for the current prompts of which somebody has said something.
    pub annotated: u64,
    /// Those of them on which annotators disagree: they are left out until one of them changes their answer.
    pub disputed: u64,
    /// About how many more annotations of disagreements it takes; `None` where that cannot be told or the prompts are as good as
    /// equal.
    pub about_needed: Option<u64>,
    /// Whether one prompt is better than every other.
    pub decided: bool,
}

impl Evidence {
    /// No evidence yet.
    pub fn new(round: Round) -> Self {
        Self { round, drawn: [0; 2], annotations: BTreeMap::new() }
    }

    /// The prompts that are compared.
    pub const fn round(&self) -> &Round {
        &self.round
    }

    /// Takes an entry of the journal's store; one that says nothing of the prompts is passed over. What is said about a sentence twice, since
    /// two people began at the same time, goes together.
    pub fn take(&mut self, key: &str, value: &[u8]) {
        for (stratum, drawn) in Stratum::ALL.into_iter().zip(&mut self.drawn) {
            if key == self.round.counter_key(stratum) {
                *drawn = counter::count(Some(value));
                return;
            }
        }
        let (Some(round), Some(annotation)) = (round_of(key), Annotation::from_json(value)) else { return };
        if annotation.draw.answers.is_empty() || annotation.given.is_empty() {
            return;
        }
        let place = Place {
            is_other: !self.round.has_annotation(key),
            round: round.to_owned(),
            sentence: annotation.draw.sentence.clone(),
        };
        match self.annotations.entry(place) {
            Entry::Vacant(vacant) => {
                vacant.insert(annotation);
            }
            Entry::Occupied(mut known) => known.get_mut().given.extend(annotation.given),
        }
    }

    /// The sentences of this round of which somebody has said something.
    pub fn annotated(&self) -> impl Iterator<Item = &str> {
        self.of_this_round().map(|annotation| &*annotation.draw.sentence)
    }

    fn of_this_round(&self) -> impl Iterator<Item = &Annotation> {
        self.annotations.iter().filter(|(place, _)| !place.is_other).map(|(_, annotation)| annotation)
    }

    /// How often sentences were drawn on which the prompts agree or differ.
    pub const fn drawn(&self, stratum: Stratum) -> u64 {
        match stratum {
            Stratum::Differ => self.drawn[0],
            Stratum::Agree => self.drawn[1],
        }
    }

    /// Sentences on which annotators disagree, and which are left out until one of them changes their answer.
    pub fn disputed(&self) -> u64 {
        count(self.annotations.values().filter(|annotation| annotation.said() == Said::Disputed))
    }

    /// Those of them that were drawn for this round, sorted by their sentences.
    pub fn disputes(&self) -> impl Iterator<Item = &Annotation> {
        self.of_this_round().filter(|annotation| annotation.said() == Said::Disputed)
    }

    /// What tells two prompts apart: annotated sentences to which they gave different outcomes, of every round that compared both.
    /// A sentence counts once.
    pub fn disagreements(&self, first: Fingerprint, second: Fingerprint) -> Disagreements {
        let mut sentences = BTreeSet::new();
        let mut found = Disagreements {
            compared: self.drawn[0].saturating_add(self.drawn[1]),
            differ: self.drawn[0],
            ..Disagreements::default()
        };
        for annotation in self.annotations.values() {
            let answer = |prompt: Fingerprint| annotation.draw.answers.get(prompt.as_str());
            let (Some(one), Some(other)) = (answer(first), answer(second)) else { continue };
            let Said::Right(right) = annotation.said() else { continue };
            if annotation.draw.stratum() == Stratum::Agree || !sentences.insert(&*annotation.draw.sentence) {
                continue;
            }
            found.annotated += 1;
            match (one == right, other == right) {
                (true, false) => found.signs.first += 1,
                (false, true) => found.signs.second += 1,
                _ => {}
            }
        }
        found
    }

    /// How often a prompt is right, on the sentences of this round: the share among those on which the prompts agree and among those
    /// on which they differ, each weighted by how many there are. With the 95% interval; `None` until some of each are annotated.
    pub fn accuracy(&self, prompt: Fingerprint) -> Option<(f64, Interval)> {
        sign_test::stratified_accuracy(Stratum::ALL.map(|stratum| {
            let mut found = sign_test::Stratum { size: self.drawn(stratum), ..sign_test::Stratum::default() };
            for annotation in self.of_this_round() {
                let (Said::Right(right), Some(answer)) =
                    (annotation.said(), annotation.draw.answers.get(prompt.as_str()))
                else {
                    continue;
                };
                if annotation.draw.stratum() == stratum {
                    found.annotated += 1;
                    found.right += u64::from(answer == right);
                }
            }
            found
        }))
    }

    /// The prompt that is better than every other, if there is one: each pair is decided by the exact sign test, α shared among all.
    pub fn best(&self) -> Option<Fingerprint> {
        let alpha = self.alpha_each();
        let prompts = self.round.prompts();
        let beats = |one: Fingerprint, other: Fingerprint| {
            sign_test::better(self.disagreements(one, other).signs, alpha) == Some(Side::First)
        };
        let best = |one: &&Fingerprint| prompts.iter().all(|other| other == *one || beats(**one, *other));
        (prompts.len() > 1).then(|| prompts.iter().find(best).copied()).flatten()
    }

    /// α for each pair of prompts.
    pub fn alpha_each(&self) -> f64 {
        let prompts = self.round.prompts().len() as u64;
        let pairs = prompts.saturating_mul(prompts.saturating_sub(1)) / 2;
        ALPHA / real(pairs.max(1))
    }

    /// How far the annotating has come.
    pub fn standing(&self) -> Standing {
        let decided = self.best().is_some();
        Standing {
            annotated: count(self.of_this_round()),
            disputed: count(self.disputes()),
            about_needed: if decided { Some(0) } else { self.needed() },
            decided,
        }
    }

    /// About how many more annotations of disagreements the leading prompt needs against the one that is hardest to tell from it.
    fn needed(&self) -> Option<u64> {
        let prompts = self.round.prompts();
        if prompts.len() < 2 {
            return None;
        }
        let lead = |one: Fingerprint| -> f64 {
            let signs = prompts.iter().map(|other| self.disagreements(one, *other).signs);
            signs.map(|Signs { first, second }| real(first) - real(second)).sum()
        };
        let leader = prompts.iter().copied().max_by(|one, other| lead(*one).total_cmp(&lead(*other)))?;
        let alpha = self.alpha_each();
        let others = prompts.iter().filter(|other| **other != leader);
        let needs = others.map(|other| {
            let Disagreements { signs, annotated, .. } = self.disagreements(leader, *other);
            match sign_test::better(signs, alpha) {
                Some(_) => Some(0),
                None => sign_test::needed(signs, annotated, alpha),
            }
        });
        // To need what cannot be told is to need more than any number.
        needs.max_by_key(|need| need.unwrap_or(u64::MAX)).flatten()
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |sum, _| sum + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Draw, Given};

    const PROMPTS: [&str; 3] = ["a", "b", "c"];

    fn prompt(index: usize) -> Fingerprint {
        Fingerprint::of(PROMPTS[index])
    }

    fn annotation(sentence: &str, answers: &[&str], expected: &[Option<&str>]) -> Vec<u8> {
        let mut draw = Draw::new(sentence);
        answers.iter().enumerate().for_each(|(index, answer)| draw.add(prompt(index), answer));
        let given = expected.iter().enumerate().map(|(who, expected)| {
            (who.to_string(), Given { expected: expected.map(str::to_owned), at: String::new() })
        });
        serde_json::to_vec(&Annotation { draw, given: given.collect() }).unwrap()
    }

    fn evidence() -> Evidence {
        Evidence::new(Round::new([prompt(0), prompt(1)], "m"))
    }

    #[test]
    fn what_counts() {
        let mut evidence = evidence();
        let round = evidence.round().clone();
        let mut number = 0;
        let mut take = |sentence: &str, answers: &[&str], expected: &[Option<&str>]| {
            number += 1;
            evidence.take(&round.annotation_key(number), &annotation(sentence, answers, expected));
        };
        take("first", &["x", "y"], &[Some("x")]);
        take("second", &["x", "y"], &[Some("y"), None]);
        take("neither", &["x", "y"], &[Some("z")]);
        take("agree", &["x", "x"], &[Some("x")]);
        take("cannot tell", &["x", "y"], &[None]);
        take("disputed", &["x", "y"], &[Some("x"), Some("y")]);
        take("taken back", &["x", "y"], &[]);
        take("first", &["x", "y"], &[Some("x")]);
        evidence.take(&round.counter_key(Stratum::Differ), b"40");
        evidence.take(&round.counter_key(Stratum::Agree), &160_i64.to_le_bytes());
        // Not drawn, of another round with one of the prompts alone, and no annotation at all.
        evidence.take(&Round::of_others().annotation_key(1), &annotation("own", &[], &[Some("x")]));
        let other = Round::new([prompt(0), prompt(2)], "m");
        evidence.take(&other.annotation_key(1), &annotation("other", &["x"], &[Some("x")]));
        evidence.take(&round.annotation_key(99), b"{");
        evidence.take("prompt", b"x");

        let found = evidence.disagreements(prompt(0), prompt(1));
        assert_eq!((found.compared, found.differ, found.annotated), (200, 40, 3));
        assert_eq!(found.signs, Signs { first: 1, second: 1 });
        assert_eq!(evidence.disagreements(prompt(1), prompt(2)).annotated, 0);
        let standing = evidence.standing();
        assert_eq!((standing.annotated, standing.decided, evidence.disputed()), (6, false, 1));
        assert!(standing.about_needed.is_some_and(|more| more > 5));
        assert_eq!(standing.disputed, 1);
        let disputes: Vec<_> = evidence.disputes().map(|it| it.draw.sentence.as_str()).collect();
        assert_eq!(disputes, ["disputed"]);
    }

    #[test]
    fn eight_to_nothing_decides() {
        let mut evidence = evidence();
        let round = evidence.round().clone();
        for number in 0..7 {
            assert_eq!(evidence.best(), None, "after {number}");
            let sentence = number.to_string();
            let value = annotation(&sentence, &["x", "y"], &[Some("y")]);
            evidence.take(&round.annotation_key(number), &value);
        }
        // 1/α is 20, and 7 to 0 make 26.8.
        assert_eq!(evidence.best(), Some(prompt(1)));
        let standing = evidence.standing();
        assert_eq!((standing.decided, standing.about_needed), (true, Some(0)));
    }

    #[test]
    fn a_sentence_counts_once() {
        let mut evidence = evidence();
        let value = annotation("same", &["x", "y"], &[Some("y")]);
        for model in ["m", "n", "o"] {
            let round = Round::new([prompt(0), prompt(1)], model);
            evidence.take(&round.annotation_key(1), &value);
        }
        assert_eq!(evidence.disagreements(prompt(0), prompt(1)).signs.n(), 1);
    }

    #[test]
    fn several_prompts_share_alpha() {
        let mut evidence = Evidence::new(Round::new([prompt(0), prompt(1), prompt(2)], "m"));
        let round = evidence.round().clone();
        for number in 0..8 {
            let sentence = number.to_string();
            let value = annotation(&sentence, &["x", "y", "z"], &[Some("x")]);
            evidence.take(&round.annotation_key(number), &value);
        }
        // 8 to 0 make 50.3; 1/α is 60 for three pairs.
        assert_eq!(evidence.best(), None);
        assert!((evidence.alpha_each() - 0.05 / 3.0).abs() < 1e-15);
        let value = annotation("last", &["x", "y", "z"], &[Some("x")]);
        evidence.take(&round.annotation_key(99), &value);
        assert_eq!(evidence.best(), Some(prompt(0)));
    }

    #[test]
    fn one_prompt_needs_no_annotation() {
        let evidence = Evidence::new(Round::new([prompt(0), prompt(0)], "m"));
        assert_eq!(
            evidence.standing(),
            Standing { annotated: 0, disputed: 0, about_needed: None, decided: false }
        );
    }
}

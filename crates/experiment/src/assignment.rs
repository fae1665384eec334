//! Which variant answers a request.

use std::str::FromStr;

use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// One label that takes part in an experiment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variant {
    label: String,
    weight: u32,
}

impl Variant {
    /// The label of the variant's store.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The variant's share of the requests, in relation to the sum of all weights. Not 0.
    pub const fn weight(&self) -> u32 {
        self.weight
    }
}

/// The variants that take part, at least one, each with its weight.
///
/// Written as labels with optional weights: `control,candidate`, or `control=90,candidate=10` for a canary; a single label
/// is no experiment yet, but a prompt that can be switched by linking another store. A label without a weight has the
/// weight 1.
///
/// ```
/// use experiment::Experiment;
/// use rand::{SeedableRng, rngs::SmallRng};
///
/// let experiment: Experiment = "control=90,candidate=10".parse()?;
/// let variant = experiment.assign(&mut SmallRng::seed_from_u64(7));
/// assert!(experiment.variants().contains(variant));
/// # Ok::<_, experiment::InvalidExperiment>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Experiment {
    // Not empty, and `total` is the sum of the weights.
    variants: Vec<Variant>,
    total: u64,
}

impl Experiment {
    /// Reads labels and weights as the type's description has them. White space around labels and weights is dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidExperiment> {
        if text.trim().is_empty() {
            return Err(InvalidExperiment::Empty);
        }
        let mut experiment = Self { variants: Vec::new(), total: 0 };
        for item in text.split(',') {
            let (label, weight) = match item.split_once('=') {
                Some((label, weight)) => (label.trim(), Some(weight.trim())),
                None => (item.trim(), None),
            };
            if label.is_empty() {
                return Err(InvalidExperiment::NoLabel { text: text.to_owned() });
            }
            let weight = weight.map_or(Some(1), |weight| weight.parse().ok().filter(|weight| *weight > 0));
            let Some(weight) = weight else {
                return Err(InvalidExperiment::Weight { item: item.trim().to_owned() });
            };
            if experiment.position(label).is_some() {
                return Err(InvalidExperiment::Duplicate { label: label.to_owned() });
            }
            experiment.total += u64::from(weight);
            experiment.variants.push(Variant { label: label.to_owned(), weight });
        }
        Ok(experiment)
    }

    /// The variants, in the order in which they were written. Not empty.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The place of the variant with this label.
    pub fn position(&self, label: &str) -> Option<usize> {
        self.variants.iter().position(|variant| variant.label == label)
    }

    /// A variant's expected share of the requests: more than 0, at most 1.
    #[expect(clippy::cast_precision_loss, reason = "the sum of weights stays far below 2^53")]
    pub fn share(&self, variant: &Variant) -> f64 {
        f64::from(variant.weight) / self.total as f64
    }

    /// Chooses a variant at random, by weight.
    pub fn assign<R: Rng + ?Sized>(&self, rng: &mut R) -> &Variant {
        self.at(rng.random_range(0..self.total))
    }

    /// Chooses a variant for a visitor: always the same one while the experiment stays as it is, and by weight over many
    /// visitors. Where weights change, only the visitors that have to move do.
    ///
    /// The choice depends on the SHA-256 of `visitor` and nothing else, so it is the same on every machine and in every
    /// version.
    pub fn assign_visitor(&self, visitor: &str) -> &Variant {
        let hash = Sha256::digest(visitor);
        let point = hash.iter().take(8).fold(0, |point, byte| point << 8 | u64::from(*byte));
        // Its first 64 bits as a fraction of 2^64, scaled to the sum of the weights: the quotient is smaller than the sum.
        let scaled = (u128::from(point) * u128::from(self.total)) >> 64;
        self.at(u64::try_from(scaled).unwrap_or_default())
    }

    /// The variant at a point from 0 to below the sum of the weights, with the weights laid end to end.
    fn at(&self, point: u64) -> &Variant {
        let mut end = 0;
        let found = self.variants.iter().find(|variant| {
            end += u64::from(variant.weight);
            point < end
        });
        found.unwrap_or(&self.variants[0])
    }
}

impl FromStr for Experiment {
    type Err = InvalidExperiment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Why a text does not describe an experiment. Each message says what to write instead.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidExperiment {
    /// Nothing but white space.
    #[error("no variant is named: write labels with optional weights, such as `control=90,candidate=10`")]
    Empty,
    /// Two commas in a row, one at an end, or a weight without a label.
    #[error(
        "a label is missing in `{text}`: write labels with optional weights, such as `control=90,candidate=10`"
    )]
    NoLabel {
        /// The whole text.
        text: String,
    },
    /// Two variants of one label would be the same store.
    #[error("the label `{label}` is named twice: name it once, with the combined weight")]
    Duplicate {
        /// The label.
        label: String,
    },
    /// The weight is not a number, negative, a fraction, 0 or too large.
    #[error(
        "the weight in `{item}` is not a whole number from 1 to {max}; leave the weight out for 1, and the label out for no \
         requests",
        max = u32::MAX
    )]
    Weight {
        /// The label with its weight.
        item: String,
    },
}

/// How an app assigns variants.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Assignment {
    /// Anew for every request.
    #[default]
    Random,
    /// Once for every visitor.
    Visitor,
}

impl Assignment {
    /// `random` or `visitor`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Visitor => "visitor",
        }
    }
}

impl FromStr for Assignment {
    type Err = InvalidAssignment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "random" => Ok(Self::Random),
            "visitor" => Ok(Self::Visitor),
            other => Err(InvalidAssignment(other.to_owned())),
        }
    }
}

/// The text names no way to assign variants.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{0}` is not a way to assign variants; use `random` or `visitor`")]
pub struct InvalidAssignment(String);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    fn parsed(text: &str) -> Experiment {
        Experiment::parse(text).unwrap()
    }

    #[test]
    fn labels_and_weights() {
        let cases: [(&str, &[(&str, u32)]); 5] = [
            ("promptstore", &[("promptstore", 1)]),
            ("promptstore1,promptstore2", &[("promptstore1", 1), ("promptstore2", 1)]),
            (" promptstore1 = 90 ,\tpromptstore2=10\n", &[("promptstore1", 90), ("promptstore2", 10)]),
            ("a,b=3", &[("a", 1), ("b", 3)]),
            ("a=4294967295,b=4294967295", &[("a", u32::MAX), ("b", u32::MAX)]),
        ];
        for (text, expected) in cases {
            let experiment = parsed(text);
            let variants: Vec<_> = experiment.variants().iter().map(|v| (v.label(), v.weight())).collect();
            assert_eq!(variants, expected);
        }
        let experiment = parsed("a=3,b");
        let shares: Vec<_> = experiment.variants().iter().map(|variant| experiment.share(variant)).collect();
        assert_eq!(shares, [0.75, 0.25]);
    }

    #[test]
    fn mistakes_are_named() {
        let no_label = |text: &str| InvalidExperiment::NoLabel { text: text.to_owned() };
        let weight = |item: &str| InvalidExperiment::Weight { item: item.to_owned() };
        let cases = [
            ("", InvalidExperiment::Empty),
            (" \n", InvalidExperiment::Empty),
            (",", no_label(",")),
            ("a,", no_label("a,")),
            ("a,,b", no_label("a,,b")),
            ("=1", no_label("=1")),
            ("a=1,b=0", weight("b=0")),
            ("a=0,b=0", weight("a=0")),
            ("a=-1", weight("a=-1")),
            ("a=0.5", weight("a=0.5")),
            ("a=ninety", weight("a=ninety")),
            ("a=", weight("a=")),
            ("a=1=2", weight("a=1=2")),
            ("a=4294967296", weight("a=4294967296")),
            ("a,b, a=2", InvalidExperiment::Duplicate { label: "a".to_owned() }),
        ];
        for (text, expected) in cases {
            assert_eq!(Experiment::parse(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn ways_of_assigning() {
        assert_eq!("random".parse(), Ok(Assignment::Random));
        assert_eq!(" visitor ".parse(), Ok(Assignment::Visitor));
        assert_eq!("sticky".parse::<Assignment>(), Err(InvalidAssignment("sticky".to_owned())));
    }

    /// How often each variant is chosen in `n` draws.
    fn counts<'e>(experiment: &'e Experiment, n: u32, mut draw: impl FnMut(u32) -> &'e Variant) -> Vec<u32> {
        let mut counts = vec![0; experiment.variants().len()];
        for i in 0..n {
            counts[experiment.position(draw(i).label()).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn the_choice_for_a_visitor_never_changes() {
        // Fixed for all versions: a change here would move visitors of running experiments.
        let experiment = parsed("a=2,b=1,c=1");
        let chosen: String = ["", "1", "2", "3", "4", "5", "6", "ü"]
            .map(|visitor| experiment.assign_visitor(visitor).label())
            .concat();
        assert_eq!(chosen, "cacaacca");
    }

    #[test]
    fn only_visitors_who_have_to_move_do() {
        let (before, after) = (parsed("a=50,b=50"), parsed("a=90,b=10"));
        for visitor in (0..500).map(|visitor: u32| visitor.to_string()) {
            if before.assign_visitor(&visitor).label() == "a" {
                assert_eq!(after.assign_visitor(&visitor).label(), "a");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            if let Ok(experiment) = Experiment::parse(&text) {
                prop_assert!(!experiment.variants().is_empty());
            }
        }

        // Six standard deviations, and some more for the skew of small shares: a fair draw practically never fails.
        #[test]
        fn weights_are_honoured(weights in prop::collection::vec(1_u32..1_000, 1..6), seed in any::<u64>()) {
            const DRAWS: u32 = 4_000;
            let text: Vec<_> = weights.iter().enumerate().map(|(i, weight)| format!("v{i}={weight}")).collect();
            let experiment = parsed(&text.join(","));
            let mut rng = SmallRng::seed_from_u64(seed);
            let random = counts(&experiment, DRAWS, |_| experiment.assign(&mut rng));
            let sticky = counts(&experiment, DRAWS, |i| experiment.assign_visitor(&format!("{seed}/{i}")));
            for (i, variant) in experiment.variants().iter().enumerate() {
                let share = experiment.share(variant);
                let expected = share * f64::from(DRAWS);
                let tolerance = 6.0 * (expected * (1.0 - share)).sqrt() + 5.0;
                prop_assert!((f64::from(random[i]) - expected).abs() <= tolerance, "{random:?}");
                prop_assert!((f64::from(sticky[i]) - expected).abs() <= tolerance, "{sticky:?}");
            }
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["promptstore1=90,promptstore2=10", "a,b"], |text| {
            if let Ok(experiment) = Experiment::parse(text) {
                assert!(!experiment.variants().is_empty());
            }
        });
    }
}

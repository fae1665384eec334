//! Every formula against the figures of scipy: 100 random cases, made by `fixtures/make_statistics.py`.

use experiment::statistics::{
    Interval, Pairs, Score, always_valid, bayes,
    classification::Confusion,
    mcnemar, newcombe,
    sample_ratio::{self, Assigned},
    sample_size,
    sign_test::{self, Signs},
    wilson,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    first: [u64; 2],
    second: [u64; 2],
    wilson: [f64; 2],
    newcombe: [f64; 2],
    chance_to_win: f64,
    expected_loss_of_first: f64,
    expected_loss_of_second: f64,
    pairs: [u64; 4],
    newcombe_paired: [f64; 2],
    mcnemar: f64,
    ln_evidence: f64,
    share_interval: [f64; 2],
    weights: Vec<u32>,
    assigned: Vec<u64>,
    sample_ratio: f64,
    confusion: [[u64; 4]; 3],
    macro_f1: Option<f64>,
    alpha: f64,
    planned: u64,
    half_width: f64,
    p1_p2: [f64; 2],
    sample_size: u64,
    psi_delta: [f64; 2],
    sample_size_paired: u64,
}

/// How far apart two figures may be, relatively, and absolutely where they are near 0.
#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

/// Both sides compute a closed form in f64.
const EXACT: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-13 };

/// The difference of two nearly equal numbers: bounds of an interval near 0.
const DIFFERENCE: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-12 };

/// Here scipy integrates numerically over a beta distribution with parameters up to 10⁶, whose density is good to 10 digits.
const QUADRATURE: Tolerance = Tolerance { relative: 1e-9, absolute: 1e-12 };

impl Tolerance {
    fn check(self, what: &str, case: usize, ours: f64, theirs: f64) {
        let allowed = self.absolute + self.relative * theirs.abs();
        assert!((ours - theirs).abs() <= allowed, "case {case}, {what}: {ours} here, {theirs} by scipy");
    }

    fn check_interval(self, what: &str, case: usize, ours: Interval, [low, high]: [f64; 2]) {
        self.check(what, case, ours.low, low);
        self.check(what, case, ours.high, high);
    }
}

#[test]
fn every_formula_agrees_with_scipy() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/statistics.json")).unwrap();
    assert_eq!(fixture.cases.len(), 100);
    for (number, case) in fixture.cases.iter().enumerate() {
        scores(number, case);
        pairs(number, case);
        others(number, case);
    }
}

fn scores(number: usize, case: &Case) {
    let [first, second] = [case.first, case.second].map(|[correct, wrong]| Score::new(correct, wrong));
    EXACT.check_interval("Wilson", number, wilson::interval(first), case.wilson);
    DIFFERENCE.check_interval("Newcombe", number, newcombe::independent(first, second), case.newcombe);
    QUADRATURE.check("chance", number, bayes::chance_to_win(first, second), case.chance_to_win);
    for (chosen, other, loss) in
        [(first, second, case.expected_loss_of_first), (second, first, case.expected_loss_of_second)]
    {
        QUADRATURE.check("expected loss", number, bayes::expected_loss(chosen, other), loss);
    }
}

fn pairs(number: usize, case: &Case) {
    let [both, only_first, only_second, neither] = case.pairs;
    let pairs = Pairs { both, only_first, only_second, neither };
    DIFFERENCE.check_interval("Newcombe, paired", number, newcombe::paired(pairs), case.newcombe_paired);
    EXACT.check("McNemar", number, mcnemar::p_value(pairs), case.mcnemar);
    if case.mcnemar > 1e-300 {
        // The smallest p-values are exact as well, and not just near 0.
        Tolerance { absolute: 0.0, ..EXACT }.check("McNemar", number, mcnemar::p_value(pairs), case.mcnemar);
    }
    let signs = Signs { first: only_first, second: only_second };
    // The difference of two logarithms of gamma functions, each of the size of n · ln n.
    let rounding = Tolerance { relative: 1e-9, absolute: 1e-8 };
    rounding.check("evidence", number, sign_test::ln_evidence(signs), case.ln_evidence);
    let share = sign_test::share_interval(only_first, only_second, case.alpha);
    rounding.check_interval("share", number, share, case.share_interval);
    let half_width = always_valid::half_width(0.01, pairs.n(), case.alpha, case.planned);
    EXACT.check("half-width", number, half_width, case.half_width);
}

fn others(number: usize, case: &Case) {
    let assigned = case.assigned.iter().zip(&case.weights);
    let assigned: Vec<_> =
        assigned.map(|(&count, &weight)| Assigned { count, weight: f64::from(weight) }).collect();
    let p_value = sample_ratio::test(&assigned).map_or(f64::NAN, |ratio| ratio.p_value);
    EXACT.check("sample ratio", number, p_value, case.sample_ratio);

    let mut confusion = Confusion::new(3);
    for (expected, row) in case.confusion.iter().enumerate() {
        for (outcome, count) in row.iter().enumerate() {
            (0..*count).for_each(|_| confusion.add(expected, Some(outcome)));
        }
    }
    assert_eq!(confusion.macro_f1().is_some(), case.macro_f1.is_some());
    EXACT.check("macro-F1", number, confusion.macro_f1().unwrap_or(0.0), case.macro_f1.unwrap_or(0.0));

    assert_eq!(
        sample_size::independent(case.p1_p2[0], case.p1_p2[1]),
        Some(case.sample_size),
        "case {number}"
    );
    let [psi, delta] = case.psi_delta;
    assert_eq!(sample_size::paired(psi, delta), Some(case.sample_size_paired), "case {number}");
}

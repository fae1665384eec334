//! From observations to a report, through the public interface.

use std::ops::Range;

use experiment::{
    Fingerprint,
    analysis::{
        Analysis, CurrentVariant, Design, Observation, Outcomes, Phase, Plan, Report, Status, Taken, Warning,
        join_sorted,
    },
    journal::{Annotation, Draw, Evidence, Given, Round, Stratum},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const MODEL: &str = "llama2-chat";
const LABELS: [&str; 2] = ["good", "bad"];

fn prompt(variant: usize) -> Fingerprint {
    Fingerprint::of(&format!("{variant}: {{SENTENCE}}"))
}

fn analysis(variants: usize) -> Analysis {
    of_plan(variants, Plan::default())
}

fn of_plan(variants: usize, plan: Plan) -> Analysis {
    let variants =
        (0..variants).map(|it| CurrentVariant::new(format!("v{it}"), 1, prompt(it), MODEL)).collect();
    Analysis::new(Outcomes::new(LABELS, "unsure"), variants, plan)
}

fn observation(
    variant: usize,
    outcome: &'static str,
    expected: Option<&'static str>,
) -> Observation<'static> {
    Observation {
        prompt: prompt(variant),
        model: MODEL,
        outcome,
        expected: expected.into_iter().collect(),
        elapsed_ms: Some(20),
        prompt_tokens: 90,
        generated_tokens: 3,
    }
}

/// Sentences that every variant saw, each annotated and labelled `good`; for each variant, those on which it is right.
fn seen_by_all(sentences: u64, right: &[Range<u64>]) -> Report {
    let mut analysis = analysis(right.len());
    observe_all(&mut analysis, sentences, right);
    analysis.report()
}

fn observe_all(analysis: &mut Analysis, sentences: u64, right: &[Range<u64>]) {
    for sentence in 0..sentences {
        let answers = right.iter().enumerate().map(|(variant, right)| {
            let outcome = if right.contains(&sentence) { "good" } else { "bad" };
            (variant, observation(variant, outcome, Some("good")))
        });
        analysis.observe_together(&answers.collect::<Vec<_>>());
    }
    let prompts: Vec<_> = (0..right.len()).map(prompt).collect();
    analysis.judge(annotated(analysis.round(), &prompts, sentences, right));
}

/// The same sentences, drawn and annotated.
fn annotated(round: Round, prompts: &[Fingerprint], sentences: u64, right: &[Range<u64>]) -> Evidence {
    let mut evidence = Evidence::new(round);
    let mut drawn = [0_u64; 2];
    for sentence in 0..sentences {
        let mut draw = Draw::new(sentence.to_string());
        for (prompt, right) in prompts.iter().zip(right) {
            draw.add(*prompt, if right.contains(&sentence) { "good" } else { "bad" });
        }
        drawn[usize::from(draw.stratum() == Stratum::Agree)] += 1;
        let given = Given { expected: Some("good".to_owned()), at: String::new() };
        let key = evidence.round().annotation_key(sentence + 1);
        let annotation = Annotation { draw, given: [("ada".to_owned(), given)].into() };
        evidence.take(&key, json!(annotation).to_string().as_bytes());
    }
    for (stratum, drawn) in Stratum::ALL.into_iter().zip(drawn) {
        let key = evidence.round().counter_key(stratum);
        evidence.take(&key, drawn.to_string().as_bytes());
    }
    evidence
}

fn kinds(report: &Report) -> Vec<String> {
    let notices = json!(report.warnings);
    notices
        .as_array()
        .into_iter()
        .flatten()
        .map(|notice| notice["kind"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn nothing_observed() {
    let report = analysis(2).report();
    for variant in &report.variants {
        assert_eq!((variant.n, variant.stale), (0, 0));
        assert!(variant.unsure_rate.is_none() && variant.accuracy.is_none() && variant.macro_f1.is_none());
        assert!(variant.latency.is_none() && variant.tokens.is_none());
        assert!(variant.outcomes.iter().all(|outcome| outcome.share.is_none()));
    }
    let comparison = &report.comparisons[0];
    assert!(comparison.difference.is_none() && comparison.mcnemar_p.is_none());
    let decision = report.decision.clone().unwrap();
    assert_eq!((decision.status, decision.winner.clone()), (Status::NotDecided, None));
    assert!(decision.needed_more.is_some_and(|more| (20..=50).contains(&more)), "{decision:?}");
    assert_eq!((decision.new_sentences, comparison.annotated), (None, None));
    assert_eq!((comparison.chance_to_win, comparison.expected_loss), (None, None));
    assert!(kinds(&report).is_empty(), "labels would change nothing");
}

#[test]
fn a_single_variant_has_no_comparison() {
    let report = seen_by_all(40, std::slice::from_ref(&(0..30)));
    assert!(report.comparisons.is_empty() && report.decision.is_none());
    assert_eq!(report.variants[0].accuracy.unwrap().count, 30);
}

/// The whole of a small report as the page gets it.
#[test]
fn as_json() {
    let mut analysis = analysis(2);
    for answers in [
        &[(0, "good", Some("good")), (1, "good", None)][..],
        &[(0, "unsure", Some("bad")), (1, "bad", None)],
        &[(0, "bad", None)],
    ] {
        let answers = answers.iter();
        let seen =
            answers.map(|&(variant, outcome, expected)| (variant, observation(variant, outcome, expected)));
        analysis.observe_together(&seen.collect::<Vec<_>>());
    }
    analysis.add_phase(Phase { weights: vec![1, 1], assigned: vec![3, 5] });
    let mut report = serde_json::to_value(analysis.report()).unwrap();
    round(&mut report);
    assert_eq!(
        report["variants"][0],
        json!({
            "label": "v0",
            "weight": 1,
            "fingerprint": prompt(0).to_string(),
            "model": "llama2-chat",
            "n": 3,
            "stale": 0,
            "outcomes": [
                {"outcome": "good", "count": 1, "share": 0.333},
                {"outcome": "bad", "count": 1, "share": 0.333},
                {"outcome": "unsure", "count": 1, "share": 0.333},
            ],
            "unsure_rate": {"count": 1, "n": 3, "value": 0.333, "low": 0.061, "high": 0.792},
            "accuracy": {"count": 1, "n": 2, "value": 0.5, "low": 0.095, "high": 0.905},
            "annotated_accuracy": null,
            "macro_f1": 0.5,
            "confusion": [
                {"expected": "good", "counts": [1, 0, 0], "precision": 1.0, "recall": 1.0, "f1": 1.0},
                {"expected": "bad", "counts": [0, 0, 1], "precision": null, "recall": 0.0, "f1": 0.0},
            ],
            "latency": {"n": 3, "mean_ms": 20.0, "p50_ms": 20.0, "p95_ms": 20.0},
            "tokens": {"n": 3, "prompt": 270, "generated": 9, "prompt_mean": 90.0, "generated_mean": 3.0},
        })
    );
    // The labels that people gave to the first variant's answers judge the second's as well; but two pairs are too few.
    assert_eq!(
        report["comparisons"],
        json!([{
            "first": "v0",
            "second": "v1",
            "design": "independent",
            "n": 2,
            "difference": null,
            "seen_by_both": {"n": 2, "differ": 1, "differ_unlabelled": 0, "conflicting_labels": 0},
            "pairs": {"both": 1, "only_first": 0, "only_second": 1, "neither": 0},
            "mcnemar_p": 1.0,
            "chance_to_win": null,
            "expected_loss": null,
            "annotated": null,
            "decision": report["decision"],
        }])
    );
    assert_eq!(report["decision"]["status"], "not_decided");
    assert_eq!(report["decision"]["assumed_difference"], Value::Null);
    assert_eq!(
        report["sample_ratio"],
        json!([{
            "phase": 1,
            "n": 8,
            "variants": [
                {"label": "v0", "weight": 1, "assigned": 3},
                {"label": "v1", "weight": 1, "assigned": 5},
            ],
            "p_value": 0.48,
            "mismatch": false,
        }])
    );
    assert_eq!(report["warnings"], json!([]));
    assert_eq!(report["method"]["alpha_each"], 0.05);
}

/// Numbers to three places.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let thousandths = number.as_f64().map(|number| (number * 1_000.0).round());
            *value = json!(thousandths.map(|number| number / 1_000.0));
        }
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}

#[test]
fn decides_between_two() {
    for (right, winner, sign) in [([0..180, 0..270], "v1", 1.0), ([0..270, 0..180], "v0", -1.0)] {
        let report = seen_by_all(300, &right);
        let comparison = &report.comparisons[0];
        let difference = comparison.difference.unwrap();
        assert_eq!((comparison.design, comparison.n), (Design::Paired, 300));
        assert!((difference.value - sign * 0.3).abs() < 1e-12);
        assert!(
            difference.fixed.contains(difference.value) && difference.deciding.contains(difference.value)
        );
        assert!(!difference.deciding.contains(0.0));
        let annotated = comparison.annotated.unwrap();
        assert_eq!(
            (annotated.counts.compared, annotated.counts.differ, annotated.counts.annotated),
            (300, 90, 90)
        );
        assert!(annotated.evidence > 1e6);
        let by_annotations = annotated.difference.unwrap();
        assert!(
            (by_annotations.value - sign * 0.3).abs() < 1e-12 && by_annotations.deciding.contains(sign * 0.3)
        );
        assert!(!by_annotations.deciding.contains(0.0));
        for (variant, right) in report.variants.iter().zip(&right) {
            let accuracy = variant.annotated_accuracy.unwrap();
            let truth = f64::from(u32::try_from(right.end).unwrap_or(0)) / 300.0;
            assert!((accuracy.value - truth).abs() < 1e-12 && accuracy.low < truth && truth < accuracy.high);
        }
        let decision = report.decision.unwrap();
        assert_eq!((decision.status, decision.winner.as_deref()), (Status::Decided, Some(winner)));
        assert_eq!((decision.needed_more, decision.assumed_difference), (None, None));
        let (chance, loss) = (comparison.chance_to_win.unwrap(), comparison.expected_loss.unwrap());
        assert!((chance.first + chance.second - 1.0).abs() < 1e-12);
        assert!((loss.first - loss.second) * sign > 0.29, "choosing the worse one costs more");
    }
}

#[test]
fn a_small_p_value_alone_decides_nothing() {
    let report = seen_by_all(200, &[0..100, 0..106]);
    let comparison = &report.comparisons[0];
    assert!(comparison.mcnemar_p.unwrap() < 0.05 && comparison.difference.unwrap().fixed.low > 0.0);
    assert!(comparison.chance_to_win.unwrap().second > 0.7);
    assert_eq!(comparison.decision.status, Status::NotDecided);
    assert!(comparison.decision.needed_more.unwrap() > 0);
}

#[test]
fn among_three_the_winner_beats_both_others() {
    let report = seen_by_all(300, &[0..150, 0..270, 0..200]);
    assert!((report.method.alpha_each - 0.05 / 3.0).abs() < 1e-12);
    let named: Vec<_> = report
        .comparisons
        .iter()
        .map(|it| (it.first.as_str(), it.second.as_str(), it.decision.winner.as_deref()))
        .collect();
    assert_eq!(named, [("v0", "v1", Some("v1")), ("v0", "v2", Some("v2")), ("v1", "v2", Some("v1"))]);
    assert_eq!(report.decision.unwrap().winner.as_deref(), Some("v1"));

    // Two that are alike, and better than the third: no winner, though one of them has a few more right.
    let report = seen_by_all(300, &[0..150, 0..270, 0..268]);
    let decision = report.decision.unwrap();
    assert_eq!((decision.status, decision.winner), (Status::NotDecided, None));
    assert_eq!(decision.needed_more, report.comparisons[2].decision.needed_more);
}

#[test]
fn a_data_set_is_decided_at_its_one_look() {
    // What people who look again and again must not conclude, an evaluation may: 200 sentences, 8 of them tell.
    let evaluated = |sentences, right: [Range<u64>; 2]| {
        let mut analysis = of_plan(2, Plan::once());
        observe_all(&mut analysis, sentences, &right);
        analysis.report()
    };
    let report = evaluated(200, [0..100, 0..108]);
    let difference = report.comparisons[0].difference.unwrap();
    assert_eq!(report.decision.unwrap().winner.as_deref(), Some("v1"));
    assert!((difference.deciding.low - difference.fixed.low).abs() < 1e-12 && difference.fixed.low > 0.0);

    let report = evaluated(29, [0..5, 0..25]);
    assert_eq!(
        (report.comparisons[0].design, report.decision.clone().unwrap().status),
        (Design::Paired, Status::NotDecided)
    );
    assert_eq!(kinds(&report), ["small_data_set"]);
}

#[test]
fn the_same_prompt_twice_is_nothing_to_decide() {
    let variant = |label, prompt| CurrentVariant::new(label, 1, Fingerprint::of(prompt), MODEL);
    let report = |prompts: &[&'static str], right: &[Range<u64>]| {
        let labels = ["v0", "v1", "v2"];
        let variants =
            labels.into_iter().zip(prompts).map(|(label, prompt)| variant(label, prompt)).collect();
        let mut analysis = Analysis::new(Outcomes::new(LABELS, "unsure"), variants, Plan::default());
        for sentence in 0..300 {
            let answers = right.iter().zip(prompts).enumerate().map(|(variant, (right, prompt))| {
                let outcome = if right.contains(&sentence) { "good" } else { "bad" };
                let prompt = Fingerprint::of(prompt);
                (variant, Observation { prompt, ..observation(variant, outcome, Some("good")) })
            });
            analysis.observe_together(&answers.collect::<Vec<_>>());
        }
        let fingerprints: Vec<_> = prompts.iter().map(|prompt| Fingerprint::of(prompt)).collect();
        analysis.judge(annotated(analysis.round(), &fingerprints, 300, right));
        analysis.report()
    };
    let identical = report(&["x", "x"], &[0..100, 0..290]);
    let decision = identical.decision.clone().unwrap();
    assert_eq!((decision.status, decision.winner, decision.needed_more), (Status::Identical, None, None));
    assert_eq!(kinds(&identical), ["same_prompt"]);
    // A third prompt is decided against those that differ from it.
    let decision = report(&["x", "y", "x"], &[0..100, 0..290, 0..100]).decision.unwrap();
    assert_eq!((decision.status, decision.winner.as_deref()), (Status::Decided, Some("v1")));
}

#[test]
fn observations_of_another_prompt_or_model_do_not_count() {
    let mut analysis = analysis(1);
    let current = observation(0, "good", Some("good"));
    for (variant, observation, taken) in [
        (0, current.clone(), Taken::Current),
        (0, Observation { prompt: prompt(7), ..current.clone() }, Taken::Stale),
        (0, Observation { model: "llama3", ..current.clone() }, Taken::Stale),
        (3, current, Taken::Unknown),
    ] {
        assert_eq!(analysis.observe(variant, &observation), taken);
    }
    let report = analysis.report();
    assert_eq!((report.variants[0].n, report.variants[0].stale), (1, 2));
    assert_eq!(report.variants[0].accuracy.unwrap().n, 1);
    assert!(kinds(&report).contains(&"stale_observations".to_owned()));
}

#[test]
fn what_is_no_outcome_or_no_label() {
    let mut analysis = analysis(1);
    analysis.observe(0, &observation(0, "unsure", Some("good")));
    analysis.observe(0, &observation(0, "Good", Some("unsure")));
    analysis.observe(
        0,
        &Observation {
            elapsed_ms: None,
            prompt_tokens: 0,
            generated_tokens: 0,
            ..observation(0, "bad", None)
        },
    );
    let variant = &analysis.report().variants[0];
    let counts: Vec<_> = variant.outcomes.iter().map(|outcome| outcome.count).collect();
    assert_eq!(counts, [0, 1, 2]);
    assert_eq!((variant.accuracy.unwrap().count, variant.accuracy.unwrap().n), (0, 1));
    assert_eq!((variant.latency.as_ref().unwrap().n, variant.tokens.unwrap().n), (2, 2));
}

#[test]
fn the_design_follows_the_number_of_pairs() {
    for (pairs, alone, design) in [
        (29, 0, Design::Independent),
        (30, 0, Design::Paired),
        (30, 30, Design::Paired),
        (30, 31, Design::Independent),
    ] {
        let mut analysis = analysis(2);
        for _ in 0..pairs {
            let answer = |variant| (variant, observation(variant, "good", Some("good")));
            analysis.observe_together(&[answer(0), answer(1)]);
        }
        for variant in [0, 1] {
            (0..alone)
                .for_each(|_| _ = analysis.observe(variant, &observation(variant, "bad", Some("good"))));
        }
        assert_eq!(analysis.report().comparisons[0].design, design, "{pairs} pairs, {alone} alone");
    }
}

#[test]
fn labels_that_conflict_make_no_pair() {
    let mut analysis = analysis(2);
    let seen = [(0, observation(0, "good", Some("good"))), (1, observation(1, "bad", Some("bad")))];
    analysis.observe_together(&seen);
    // By itself: counted, and not paired.
    analysis.observe(1, &observation(1, "bad", Some("good")));
    let report = analysis.report();
    let comparison = &report.comparisons[0];
    assert_eq!((comparison.seen_by_both.n, comparison.seen_by_both.conflicting_labels), (1, 1));
    // Visitors who disagree on one answer make none either, and each counts for the variant.
    let disputed = Observation { expected: vec!["good", "bad", "good"], ..observation(0, "good", None) };
    let mut of_votes = crate::analysis(2);
    of_votes.observe_together(&[(0, disputed), (1, observation(1, "bad", None))]);
    let by_votes = of_votes.report();
    assert_eq!(by_votes.comparisons[0].seen_by_both.conflicting_labels, 1);
    let accuracy = by_votes.variants[0].accuracy.unwrap();
    assert_eq!((accuracy.count, accuracy.n), (2, 3));
    assert_eq!(comparison.pairs.n(), 0);
    assert_eq!(report.variants[1].n, 2);
    assert!(kinds(&report).contains(&"conflicting_labels".to_owned()));
}

#[test]
fn warnings() {
    let variant = |label, prompt, model| CurrentVariant::new(label, 1, Fingerprint::of(prompt), model);
    let variants = vec![variant("a", "x", "m"), variant("b", "x", "m"), variant("c", "y", "other")];
    let mut analysis = Analysis::new(Outcomes::new(LABELS, "unsure"), variants, Plan::default());
    let seen = Observation { prompt: Fingerprint::of("x"), model: "m", ..observation(0, "unsure", None) };
    (0..40).for_each(|_| _ = analysis.observe(0, &seen));
    for (weights, changed) in [([1, 1, 1], false), ([50, 50, 50], false), ([2, 1, 1], true)] {
        analysis.add_phase(Phase { weights: weights.to_vec(), assigned: vec![100; 3] });
        assert_eq!(kinds(&analysis.report()).contains(&"weights_changed".to_owned()), changed, "{weights:?}");
    }
    let report = analysis.report();
    assert_eq!(
        kinds(&report),
        [
            "sample_ratio_mismatch",
            "weights_changed",
            "same_prompt",
            "different_models",
            "different_models",
            "many_unsure",
        ]
    );
    assert_eq!(report.warnings[0].warning, Warning::SampleRatioMismatch { phase: 3, assignments: 300 });
    assert!(
        report.warnings.iter().all(|notice| notice.message.ends_with('.') && notice.advice.ends_with('.'))
    );
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    outcome: &'static str,
    expected: Option<&'static str>,
}

/// What each of three variants made of each of some sentences, if it saw it.
fn answers() -> impl Strategy<Value = Vec<[Option<Answer>; 3]>> {
    let outcome = prop::sample::select(vec!["good", "bad", "unsure"]);
    let expected = prop::option::of(prop::sample::select(LABELS.to_vec()));
    let answer = (outcome, expected).prop_map(|(outcome, expected)| Answer { outcome, expected });
    prop::collection::vec(prop::array::uniform3(prop::option::of(answer)), 0..60)
}

proptest! {
    /// Sentence by sentence or joined from sorted streams: the same report.
    #[test]
    fn joined_streams_say_the_same(sentences in answers()) {
        let seen = |variant: usize, answer: Answer| observation(variant, answer.outcome, answer.expected);
        let key = |index: usize| format!("{index:03}");

        let mut together = analysis(3);
        for answers in &sentences {
            let answers = answers.iter().enumerate().filter_map(|(variant, answer)| Some((variant, seen(variant, (*answer)?))));
            together.observe_together(&answers.collect::<Vec<_>>());
        }

        let streams = (0..3).map(|variant| {
            let answers = sentences.iter().enumerate();
            answers.filter_map(|(index, answers)| Some((key(index), seen(variant, answers[variant]?)))).collect::<Vec<_>>()
        });
        let mut joined = analysis(3);
        for (_, observations) in join_sorted(streams) {
            joined.observe_together(&observations);
        }

        let report = together.report();
        prop_assert_eq!(&joined.report(), &report);
    }
}

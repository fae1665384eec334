//! Reports in words: what is concluded, what is asked for next, and what is said about two variants.

use experiment::{
    Fingerprint,
    analysis::{Analysis, CurrentVariant, Observation, Outcomes, Phase, Plan, Report},
    journal::{Annotation, Draw, Evidence, Given, Stratum},
    presentation::{Presentation, Step},
};

/// Of each variant: its prompt, its labelled sentences, how many of the first of these it got right, and sentences
/// without a label beyond those, which odd variants answer differently from even ones.
#[derive(Clone, Copy)]
struct Seen(&'static str, u64, u64, u64);

fn report(plan: Plan, seen: &[Seen], stale: bool, phase: Option<[u64; 2]>) -> Report {
    let variants = seen.iter().zip(["a", "b", "c"]);
    let variants =
        variants.map(|(seen, label)| CurrentVariant::new(label, 1, Fingerprint::of(seen.0), "m")).collect();
    let mut analysis = Analysis::new(Outcomes::new(["good", "bad"], "unsure"), variants, plan);
    let most = seen.iter().map(|seen| seen.1 + seen.3).max().unwrap_or(0);
    for number in 0..most {
        let answers = seen.iter().enumerate().filter(|(_, seen)| number < seen.1 + seen.3);
        let observed = answers.map(|(variant, &Seen(prompt, labelled, right, _))| {
            let is_labelled = number < labelled;
            let by_label = if number < right { "good" } else { "bad" };
            let observation = Observation {
                prompt: Fingerprint::of(if stale { "old" } else { prompt }),
                model: "m",
                outcome: if is_labelled { by_label } else { ["good", "bad"][variant % 2] },
                expected: is_labelled.then_some("good").into_iter().collect(),
                elapsed_ms: Some(1_500),
                prompt_tokens: 90,
                generated_tokens: 2,
            };
            (variant, observation)
        });
        analysis.observe_together(&observed.collect::<Vec<_>>());
    }
    let mut evidence = Evidence::new(analysis.round());
    let all = seen.iter().map(|seen| seen.1 + seen.3).min().unwrap_or(0);
    let labelled = seen.iter().map(|seen| seen.1).min().unwrap_or(0);
    let mut drawn = [0_u64; 2];
    for number in 0..all {
        let mut draw = Draw::new(number.to_string());
        for (variant, &Seen(prompt, its_labelled, right, _)) in seen.iter().enumerate() {
            let by_label = if number < right { "good" } else { "bad" };
            let outcome = if number < its_labelled { by_label } else { ["good", "bad"][variant % 2] };
            draw.add(Fingerprint::of(prompt), outcome);
        }
        drawn[usize::from(draw.stratum() == Stratum::Agree)] += 1;
        if number < labelled {
            let key = evidence.round().annotation_key(number + 1);
            let given = Given { expected: Some("good".to_owned()), at: String::new() };
            let annotation = Annotation { draw, given: [("ada".to_owned(), given)].into() };
            evidence.take(&key, serde_json::json!(annotation).to_string().as_bytes());
        }
    }
    for (stratum, drawn) in Stratum::ALL.into_iter().zip(drawn) {
        let key = evidence.round().counter_key(stratum);
        evidence.take(&key, drawn.to_string().as_bytes());
    }
    analysis.judge(evidence);
    if let Some([first, second]) = phase {
        analysis.add_phase(Phase { weights: vec![1, 1], assigned: vec![first, second] });
    }
    analysis.report()
}

fn live(seen: &[Seen]) -> Presentation {
    Presentation::of(&report(Plan::default(), seen, false, None))
}

fn evaluated(seen: &[Seen]) -> Presentation {
    Presentation::of(&report(Plan::once(), seen, false, None))
}

fn two(labelled: u64, right: [u64; 2], unlabelled: u64) -> [Seen; 2] {
    [Seen("x", labelled, right[0], unlabelled), Seen("y", labelled, right[1], unlabelled)]
}

/// What is looked at, its heading and text, and the next step.
type Concluded = (&'static str, Presentation, &'static str, &'static str, Option<(Step, &'static str)>);

fn assert_concluded(cases: impl IntoIterator<Item = Concluded>) {
    for (what, presentation, heading, text, next) in cases {
        let conclusion = presentation.conclusion;
        let said = conclusion.next.as_ref().map(|next| (next.step, next.text.as_str()));
        let shown = (conclusion.heading.as_str(), conclusion.text.as_str(), said);
        assert_eq!(shown, (heading, text, next), "{what}");
        assert_eq!(conclusion.settled, heading.ends_with("is better"), "{what}");
    }
}

#[test]
fn what_is_concluded_of_live_observations_and_asked_for() {
    let stale = Presentation::of(&report(Plan::default(), &two(3, [1, 2], 0), true, None));
    assert_concluded([
        (
            "nothing",
            live(&two(0, [0, 0], 0)),
            "No observations yet",
            "Each answer from the model becomes an observation of the prompt that was used.",
            Some((Step::Analyse, "Analyse some sentences")),
        ),
        (
            "stale alone",
            stale,
            "No observations of the current prompts yet",
            "Each answer from the model becomes an observation of the prompt that was used.",
            Some((Step::Analyse, "Analyse some sentences")),
        ),
        (
            "no labels",
            live(&two(0, [0, 0], 3)),
            "Not decided yet",
            "About 34 more annotated differences are enough for a decision in 8 of 10 cases. Finding them takes about 31 new sentences. So far there are 6 observations, 0 votes and 0 annotated differences.",
            Some((Step::Annotate, "Annotate where the prompts differ")),
        ),
        (
            "some labels",
            live(&two(2, [1, 1], 1)),
            "Not decided yet",
            "About 34 more annotated differences are enough for a decision in 8 of 10 cases. Finding them takes about 99 new sentences. So far there are 6 observations, 4 votes and 0 annotated differences.",
            Some((Step::Annotate, "Annotate where the prompts differ")),
        ),
        (
            "everything annotated",
            live(&two(100, [80, 85], 0)),
            "Not decided yet",
            "About 7 more annotated differences are enough for a decision in 8 of 10 cases. Finding them takes about 140 new sentences. So far there are 200 observations, 200 votes and 5 annotated differences.",
            Some((Step::Analyse, "Analyse more sentences")),
        ),
        (
            "a winner",
            live(&two(300, [180, 270], 9)),
            "b is better",
            "Of 90 annotated sentences on which the two differ, b alone is right on 90 and a alone on 0: evidence above a million, where 20 is enough. So far there are 618 observations, 600 votes and 90 annotated differences.",
            Some((Step::Promote, "Make b the only prompt")),
        ),
        (
            "a winner among three",
            live(&[Seen("x", 300, 150, 0), Seen("y", 300, 270, 0), Seen("z", 300, 200, 0)]),
            "b is better",
            "Of 120 annotated sentences on which the two differ, b alone is right on 120 and a alone on 0: evidence above a million, where 60 is enough. Of 120 annotated sentences on which the two differ, b alone is right on 70 and c alone on 0: evidence above a million, where 60 is enough. So far there are 900 observations, 900 votes and 120 annotated differences.",
            Some((Step::Promote, "Make b the only prompt")),
        ),
        (
            "the same prompt",
            live(&[Seen("x", 0, 0, 5), Seen("x", 0, 0, 4)]),
            "The prompts are identical",
            "There is nothing to decide. So far there are 9 observations and 0 votes.",
            None,
        ),
        (
            "a single variant",
            live(&[Seen("x", 1, 1, 0)]),
            "One prompt, nothing to compare",
            "Add a second variant to compare it with. So far there is 1 observation and 1 vote.",
            None,
        ),
    ]);
}

/// Whatever votes say: each of two prompts has a thousand, of sentences that the other did not see.
#[test]
fn without_pairs_there_is_no_verdict_and_it_is_said_how_to_get_them() {
    let prompts = ["x", "y"].map(Fingerprint::of);
    let conclusion = |has_journal: bool| {
        let labels = ["a", "b"].into_iter().zip(prompts);
        let variants = labels.map(|(label, prompt)| CurrentVariant::new(label, 1, prompt, "m")).collect();
        let mut analysis = Analysis::new(Outcomes::new(["good", "bad"], "unsure"), variants, Plan::default());
        for variant in [0, 1].repeat(1_000) {
            let observation = Observation {
                prompt: prompts[variant],
                model: "m",
                outcome: ["good", "bad"][variant],
                expected: vec!["good"],
                elapsed_ms: None,
                prompt_tokens: 0,
                generated_tokens: 0,
            };
            analysis.observe_together(&[(variant, observation)]);
        }
        if has_journal {
            analysis.judge(Evidence::new(analysis.round()));
        }
        let report = analysis.report();
        let shares = report.variants.iter().map(|variant| variant.accuracy.map(|share| share.count));
        assert_eq!(shares.collect::<Vec<_>>(), [Some(1_000), Some(0)]);
        assert_eq!(report.decision.as_ref().and_then(|decision| decision.winner.as_ref()), None);
        let conclusion = Presentation::of(&report).conclusion;
        assert!(!conclusion.settled && conclusion.next.is_none_or(|next| next.step != Step::Promote));
        assert_eq!(conclusion.heading, "Not decided yet");
        conclusion.text
    };
    let text = conclusion(true);
    for way in ["The variable `shadow` sets", "`cargo ab backfill` asks"] {
        assert!(text.contains(way), "{text}");
    }
    assert!(conclusion(false).starts_with("The label `journal` is not linked"), "{}", conclusion(false));
}

#[test]
fn what_is_concluded_of_a_data_set() {
    assert_concluded([
        (
            "a data set with a winner",
            evaluated(&two(200, [108, 100], 0)),
            "a is better",
            "Right 4 points more often than b (200 labelled sentences). The 95% interval of the difference excludes zero.",
            None,
        ),
        (
            "a data set without a winner",
            evaluated(&two(100, [80, 83], 0)),
            "Not decided",
            "If one is better by 7.6 points, about 30 more labelled sentences are enough for a decision in 8 of 10 cases.",
            None,
        ),
        (
            "a data set and one prompt",
            evaluated(&[Seen("x", 100, 80, 0)]),
            "One prompt, nothing to compare",
            "Name a second prompt to compare it with.",
            None,
        ),
    ]);
}

#[test]
fn what_is_said_of_two_variants() {
    for (what, presentation, text, figures) in [
        (
            "nothing",
            live(&two(0, [0, 0], 0)),
            "No new sentence has been answered by both prompts yet. There are no votes on both variants to compare.",
            &[][..],
        ),
        (
            "no labels",
            live(&two(0, [0, 0], 1_200)),
            "Both prompts answered 1,200 new sentences and differ on 1,200; none of these is annotated. There are no votes on both variants to compare.",
            &[],
        ),
        (
            "everything labelled",
            live(&two(100, [80, 85], 0)),
            "Both prompts answered 100 new sentences and differ on 5; 5 of these are annotated. Votes are compared on 100 sentences that both answered.",
            &[
                ("Annotated differences", "5: only a right 0, only b 5, neither 0"),
                ("Evidence (decides)", "7.9 of 20"),
                ("Difference in accuracy", "+5.0 points"),
                ("Interval at every look", "−5.6 to +16.9 points"),
                ("Difference by votes", "+5.0 points"),
                ("Its always-valid interval", "−10.9 to +20.9 points"),
                ("Its fixed 95% interval", "+0.1 to +10.5 points"),
                ("McNemar’s exact test", "p = 0.0625 (100 pairs)"),
                ("Right answers", "both 80, only a 0, only b 5, neither 15"),
                ("Chance to win", "a 17.9%, b 82.1%"),
                ("Expected loss if chosen", "a 5.42 points, b 0.52 points"),
            ],
        ),
        (
            "decided, with answers that have no label",
            live(&two(300, [180, 270], 9)),
            "Both prompts answered 309 new sentences and differ on 99; 90 of these are annotated. Votes are compared on 300 sentences that both answered.",
            &[("Annotated differences", "90: only a right 0, only b 90, neither 0")],
        ),
        (
            "a data set",
            evaluated(&two(100, [80, 85], 0)),
            "Compared on 100 labelled sentences that both answered; they disagree on 5.",
            &[
                ("Difference in accuracy", "+5.0 points"),
                ("95% interval (decides)", "+0.1 to +10.5 points"),
                ("McNemar’s exact test", "p = 0.0625 (100 pairs)"),
            ],
        ),
    ] {
        let comparison = &presentation.comparisons[0];
        assert_eq!(
            (comparison.title.as_str(), comparison.text.as_str()),
            ("b compared with a", text),
            "{what}"
        );
        assert_eq!(comparison.figures.is_some(), !figures.is_empty(), "{what}");
        let rows = comparison.figures.iter().flat_map(|table| &table.rows);
        for (row, (name, value)) in rows.zip(figures) {
            assert_eq!((row[0].as_str(), row[1].as_str()), (*name, *value), "{what}");
        }
    }
}

#[test]
fn tables_have_a_cell_for_each_variant() {
    let presentation = live(&[Seen("x", 4, 2, 1), Seen("y", 0, 0, 3)]);
    assert_eq!(presentation.accuracies, ["50.0% of 4 (15.0–85.0)", "no votes yet"]);
    assert_eq!(presentation.variants.head, ["", "a", "b"]);
    assert_eq!(
        presentation.outcomes.rows,
        [
            ["Good", "60.0% (3 of 5)", "0.0% (0 of 3)"],
            ["Bad", "40.0% (2 of 5)", "100.0% (3 of 3)"],
            ["Unsure", "0.0% (0 of 5)", "0.0% (0 of 3)"],
        ]
    );
    let matrix = presentation.confusions[0].as_ref().unwrap();
    assert_eq!(matrix.caption, "Confusion matrix of a (4 votes)");
    assert_eq!(matrix.rows[0], ["Good", "2", "2", "0", "100.0%", "50.0%", "0.667"]);
    assert!(presentation.confusions[1].is_none());
    let tables = [&presentation.variants, &presentation.outcomes, matrix];
    for table in tables {
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()), "{}", table.caption);
    }
    let named =
        |name: &str| presentation.variants.rows.iter().find(|row| row[0] == name).unwrap()[1..].to_vec();
    assert_eq!(named("Latency, median"), ["1.5 s (n 5)", "1.5 s (n 3)"]);
    assert_eq!(named("Macro-F1"), ["0.333", "–"]);
}

#[test]
fn assignments_in_doubt_settle_nothing() {
    let winner = [Seen("x", 300, 180, 0), Seen("y", 300, 270, 0)];
    for (assigned, settled, sentence) in [
        (
            [500, 510],
            true,
            "Phase 1: 1,010 assignments, 500 to a (weight 1), 510 to b (weight 1). They are in line with the weights (p = 0.7530).",
        ),
        (
            [900, 500],
            false,
            "Phase 1: 1,400 assignments, 900 to a (weight 1), 500 to b (weight 1). They do not follow the weights (p < 0.0001).",
        ),
    ] {
        let presentation = Presentation::of(&report(Plan::default(), &winner, false, Some(assigned)));
        assert_eq!(
            (presentation.conclusion.settled, presentation.assignments),
            (settled, vec![sentence.to_owned()])
        );
        assert_eq!(presentation.conclusion.heading, "b is better");
    }
}

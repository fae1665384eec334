//! The labelled sentences: the file keeps its promises, and how the offline model does on it is known.

#![expect(clippy::expect_used, reason = "a helper of a test fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use offline_model::explain;

const PROMPTS: [(&str, &str); 3] = [
    ("default", include_str!("../../../prompts/default.txt")),
    ("case-a", include_str!("../../../prompts/case-a.txt")),
    ("case-b", include_str!("../../../prompts/case-b.txt")),
];

/// The sentences of the article's prompts with their outcomes, and the one it says is misread.
const ARTICLE: [(&str, &str); 10] = [
    ("Hey, how's it going?", "neutral"),
    ("I just aced my exam!", "positive"),
    ("The weather is ruining my day.", "negative"),
    ("What a beautiful sunrise!", "positive"),
    ("My car broke down again.", "negative"),
    ("Just finished my chores.", "neutral"),
    ("Hi, my name is Bob", "neutral"),
    ("I am so happy today", "positive"),
    ("I am so sad today", "negative"),
    ("Dang, this is difficult!", "negative"),
];

/// Rows of sentence and expected outcome.
fn sentences() -> Vec<(String, String)> {
    let file = include_str!("../../../data/sentences.csv");
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(reader.headers().expect("a header"), ["sentence", "expected"].as_slice());
    reader.deserialize().collect::<Result<_, _>>().expect("rows of two fields")
}

fn answer(prompt: &str, sentence: &str) -> &'static str {
    explain(&prompt.replace("{SENTENCE}", sentence)).outcome
}

#[test]
fn the_file_keeps_its_promises() {
    let sentences = sentences();
    assert!(sentences.len() >= 300, "{} sentences", sentences.len());

    let mut counts = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (sentence, expected) in &sentences {
        assert_eq!(sentence, sentence.trim());
        assert!(!sentence.is_empty() && sentence.len() <= 4096, "{sentence:?}");
        assert!(seen.insert(sentence.to_lowercase()), "twice: {sentence}");
        *counts.entry(expected.as_str()).or_insert(0_usize) += 1;
    }
    let third = sentences.len() / 3;
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["negative", "neutral", "positive"]);
    for (outcome, count) in &counts {
        assert!(count.abs_diff(third) * 20 <= third, "{count} of {outcome}: not within 5 % of {third}");
    }
    for (sentence, expected) in ARTICLE {
        assert!(sentences.contains(&(sentence.into(), expected.into())), "missing: {sentence}, {expected}");
    }
}

#[test]
fn the_articles_sentences_get_sensible_answers() {
    // VADER does not know "aced": only the prompt that has the sentence as an example gets it right. And case B, which
    // ends on a neutral example, hears no complaint that is milder than its own.
    let surprises = [
        ("default", "I just aced my exam!", "neutral"),
        ("case-b", "I just aced my exam!", "neutral"),
        ("case-b", "The weather is ruining my day.", "neutral"),
        ("case-b", "Dang, this is difficult!", "neutral"),
    ];
    for (name, prompt) in PROMPTS {
        for (sentence, expected) in ARTICLE {
            let surprise = surprises.iter().find(|(of, about, _)| (*of, *about) == (name, sentence));
            let expected = surprise.map_or(expected, |(_, _, outcome)| outcome);
            assert_eq!(answer(prompt, sentence), expected, "{name}: {sentence}");
        }
    }
}

/// These figures stand in data/README.md too. They change with the sentences, the prompts and the model's rule.
#[test]
fn the_models_accuracy_is_known() {
    let sentences = sentences();
    let right = PROMPTS.map(|(name, prompt)| {
        let right = |(sentence, expected): &&(String, String)| answer(prompt, sentence) == expected;
        (name, sentences.iter().filter(right).count())
    });
    assert_eq!((sentences.len(), right), (330, [("default", 184), ("case-a", 189), ("case-b", 161)]));
}

#[test]
fn case_a_and_case_b_disagree_and_the_thresholds_say_why() {
    let [_, (_, case_a), (_, case_b)] = PROMPTS;
    let sentences = sentences();
    let mut disagreements = 0;
    for (sentence, _) in &sentences {
        let [a, b] = [case_a, case_b].map(|prompt| explain(&prompt.replace("{SENTENCE}", sentence)));
        assert_eq!((a.positive_from, a.negative_from), (0.05, -0.05));
        assert_eq!((b.positive_from, b.negative_from), (0.45, -0.4215));
        if a.outcome != b.outcome {
            disagreements += 1;
            let is_between = (0.05..0.45).contains(&a.compound) || (-0.4215..=-0.05).contains(&a.compound);
            assert!(is_between || a.is_example || b.is_example, "{sentence}: {a}; {b}");
        }
    }
    assert_eq!((disagreements, sentences.len()), (93, 330));
}

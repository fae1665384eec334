//! A hundred completions in the manner of today's models, labelled by hand, are read right.

use sentiment::{DEFAULT_PROMPT, Outcome, read_completion};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    family: String,
    prompt: String,
    sentence: String,
    /// `{PROMPT}` stands for the rendered prompt.
    completion: String,
    expected: Outcome,
    note: String,
}

/// The prompts that the completions answer.
const PROMPTS: [(&str, &str); 5] = [
    ("examples", DEFAULT_PROMPT),
    ("word", "Answer with one word, positive, neutral or negative.\nSentence: {SENTENCE}\nSentiment:"),
    ("open", "What is the sentiment of this sentence? Is it positive, neutral or negative?\n\n{SENTENCE}"),
    ("json", "Reply with JSON such as {\"sentiment\": \"neutral\"}.\n\n{SENTENCE}"),
    ("xml", "Think first, then write <sentiment> with positive, neutral or negative.\n\n{SENTENCE}"),
];

#[test]
fn a_hundred_completions_are_read_right() {
    let rows: Vec<Row> = include_str!("fixtures/completions.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(rows.len() >= 100, "{}", rows.len());
    let mistakes: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let (_, prompt) = PROMPTS.iter().find(|(name, _)| *name == row.prompt).unwrap();
            let prompt = prompt.replace("{SENTENCE}", &row.sentence);
            let read = read_completion(&prompt, &row.completion.replace("{PROMPT}", &prompt));
            let Row { family, completion, expected, note, .. } = row;
            (read != *expected)
                .then(|| format!("{family}, {note}: {completion:?} is {expected}, read as {read}"))
        })
        .collect();
    assert!(mistakes.is_empty(), "{} of {}:\n{}", mistakes.len(), rows.len(), mistakes.join("\n"));
}

//! The rule: how the examples of a prompt decide about a score.
//!
//! 1. A sentence that equals an example (trimmed, letter case aside) gets the example's outcome.
//! 2. Otherwise VADER's compound score of the sentence, from -1 to 1, decides. It is `positive` at the positive
//!    threshold or more, `negative` at the negative threshold or less, and `neutral` in between.
//! 3. Each threshold lies between the neutral examples and the examples of its side, and is first taken midway between
//!    their mean scores.
//! 4. Models lean towards the label they saw last (recency bias: Zhao et al. 2021, "Calibrate Before Use"). So does
//!    this one: next to the outcome of the last example a threshold moves from midway all the way to the neighbour.
//!    A prompt that ends on a neutral example wants a sentence to be as strong as the examples; a prompt that ends on
//!    a negative example finds the mildest complaint negative.
//! 5. A threshold stays between 0.05, VADER's own, and 0.45, a little less than one plain word such as "sad" alone
//!    scores, so that no prompt makes the model deaf. Where neutral or that side has no example, it is 0.05.
//!
//! Examples labelled `unsure` take part in the first step only.

use std::fmt;
use std::sync::LazyLock;

use vader_parity::SentimentIntensityAnalyzer;

use crate::prompt::{Example, Outcome, Prompt};

/// VADER's own threshold: its authors call a text positive from 0.05, negative from -0.05.
const LEAST: f64 = 0.05;
const MOST: f64 = 0.45;

static VADER: LazyLock<SentimentIntensityAnalyzer> = LazyLock::new(SentimentIntensityAnalyzer::new);

/// The answer to a prompt and the figures that led to it. Its [`Display`](fmt::Display) is a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explanation {
    /// `positive`, `neutral`, `negative`, or `unsure` where an example says so.
    pub outcome: &'static str,
    /// VADER's compound score of the sentence, from -1 to 1, to four decimals.
    pub compound: f64,
    /// A sentence is positive from this score on: 0.05 to 0.45.
    pub positive_from: f64,
    /// A sentence is negative from this score down: -0.45 to -0.05.
    pub negative_from: f64,
    /// Whether the sentence is one of the prompt's examples, whose outcome is repeated.
    pub is_example: bool,
}

/// Says how the model answers a prompt, and why. Takes any text, in linear time.
pub fn explain(prompt: &str) -> Explanation {
    let Prompt { examples, sentence } = Prompt::read(prompt);
    let compound = score(sentence);
    let scored: Vec<_> = examples.iter().map(|example| (example.outcome, score(example.text))).collect();
    let positive_from = threshold(&scored, Outcome::Positive);
    let negative_from = -threshold(&scored, Outcome::Negative);
    let repeated = repeated_outcome(&examples, sentence);
    let outcome = repeated.unwrap_or(match compound {
        score if score >= positive_from => Outcome::Positive,
        score if score <= negative_from => Outcome::Negative,
        _ => Outcome::Neutral,
    });
    Explanation {
        outcome: outcome.as_str(),
        compound,
        positive_from,
        negative_from,
        is_example: repeated.is_some(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, compound, positive_from, negative_from, is_example } = self;
        if *is_example {
            return write!(f, "{outcome}: the prompt has this sentence as an example");
        }
        write!(
            f,
            "{outcome}: VADER scores the sentence {compound:+.4}; with this prompt's examples \
             {positive_from:+.4} or more is positive, {negative_from:+.4} or less negative"
        )
    }
}

fn score(text: &str) -> f64 {
    VADER.polarity_scores(text).compound
}

/// The distance from 0 at which a score counts as `side`, which is positive or negative.
fn threshold(examples: &[(Outcome, f64)], side: Outcome) -> f64 {
    let sign = if side == Outcome::Negative { -1.0 } else { 1.0 };
    let (Some(neutral), Some(strong)) = (mean(examples, Outcome::Neutral), mean(examples, side)) else {
        return LEAST;
    };
    let last = examples.iter().rev().map(|(outcome, _)| *outcome).find(|outcome| *outcome != Outcome::Unsure);
    let at = match last {
        Some(outcome) if outcome == side => neutral,
        Some(Outcome::Neutral) => strong,
        _ => f64::midpoint(neutral, strong),
    };
    (sign * at).clamp(LEAST, MOST)
}

fn mean(examples: &[(Outcome, f64)], of: Outcome) -> Option<f64> {
    let (sum, count) = examples
        .iter()
        .filter(|(outcome, _)| *outcome == of)
        .fold((0.0, 0.0), |(sum, count), (_, score)| (sum + score, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The outcome of the last example that is this very sentence.
fn repeated_outcome(examples: &[Example], sentence: &str) -> Option<Outcome> {
    let same = |example: &&Example| {
        example.text.len() == sentence.len() && example.text.to_lowercase() == sentence.to_lowercase()
    };
    examples.iter().rev().find(same).map(|example| example.outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(examples: &[(&str, &str)], sentence: &str) -> String {
        let examples: Vec<_> =
            examples.iter().map(|(text, outcome)| format!("User: {text}\n{outcome}")).collect();
        format!("[INST]\n{}\n[/INST]\nUser: {sentence}", examples.join("\n"))
    }

    // Scores: "it is" 0, "sad day" -0.4767, "happy day" 0.5719, "nice day" 0.4215, "I am so happy today" 0.6948.
    #[test]
    fn the_examples_set_the_thresholds() {
        for (examples, positive_from, negative_from) in [
            // No examples, or not on both sides of a threshold.
            (vec![], 0.05, -0.05),
            (vec![("happy day", "positive"), ("sad day", "negative")], 0.05, -0.05),
            (vec![("it is", "neutral"), ("happy day", "positive"), ("x", "unsure")], 0.05, -0.05),
            // Midway, where the last example is of the other side.
            (vec![("it is", "neutral"), ("sad day", "negative"), ("happy day", "positive")], 0.05, -0.238_35),
            (vec![("it is", "neutral"), ("happy day", "positive"), ("sad day", "negative")], 0.285_95, -0.05),
            // Up to the examples, but not beyond 0.45, where the last example is neutral.
            (vec![("nice day", "positive"), ("sad day", "negative"), ("it is", "neutral")], 0.4215, -0.45),
            // Means of several examples; `unsure` is never the last.
            (
                vec![
                    ("it is", "neutral"),
                    ("happy day", "positive"),
                    ("nice day", "positive"),
                    ("sad day", "negative"),
                    ("happy day", "unsure"),
                ],
                0.248_35,
                -0.05,
            ),
            // Examples that contradict VADER do not turn it round.
            (vec![("it is", "neutral"), ("sad day", "positive"), ("happy day", "negative")], 0.05, -0.05),
        ] {
            let Explanation { positive_from: positive, negative_from: negative, .. } =
                explain(&prompt(&examples, "x"));
            assert!((positive - positive_from).abs() < 1e-9, "{examples:?}: positive from {positive}");
            assert!((negative - negative_from).abs() < 1e-9, "{examples:?}: negative from {negative}");
        }
    }

    #[test]
    fn an_example_is_repeated_and_the_last_one_counts() {
        let examples = [("I aced it", "positive"), ("Happy day", "negative"), ("happy day", "unsure")];
        for (sentence, outcome) in
            [("i ACED it", "positive"), ("happy day", "unsure"), ("I aced it twice", "neutral")]
        {
            assert_eq!(explain(&prompt(&examples, sentence)).outcome, outcome, "{sentence}");
        }
    }

    #[test]
    fn an_explanation_reads_well() {
        let examples = [("it is", "neutral"), ("happy day", "positive"), ("sad day", "negative")];
        assert_eq!(
            explain(&prompt(&examples, "a nice day")).to_string(),
            "positive: VADER scores the sentence +0.4215; with this prompt's examples +0.2859 or more is positive, \
             -0.0500 or less negative"
        );
        assert_eq!(
            explain(&prompt(&examples, "It is")).to_string(),
            "neutral: the prompt has this sentence as an example"
        );
    }
}

//! From the text a model generated to an outcome.

use crate::Outcome;

/// Marks that a tokenizer puts before a text and some servers leave in an echo of it.
const START_MARKS: [&str; 3] = ["<s>", "<bos>", "<|begin_of_text|>"];

/// Reads the outcome out of `completion`, the text that a model generated for `prompt`.
///
/// - An echo of the prompt is dropped first. Spin's own inference returns the prompt with the completion behind it, and
///   decoding its tokens may have changed white space, so white space does not count in the comparison.
/// - Then the first whole word that is an outcome counts, in any case, whatever stands around it: `Sentiment: Positive.`,
///   `**NEGATIVE**`, `{"sentiment": "neutral"}`, `positive\nUser: …`. What is joined to a word by letters, digits or
///   hyphens belongs to it, so neither `nonnegative` nor `non-negative` is an outcome.
/// - There is none: [`Outcome::Unsure`].
///
/// The words are taken as they come; `not positive` is read as positive. A prompt asks for one word.
///
/// ```
/// use sentiment::{Outcome, read_completion};
///
/// let prompt = "Positive, neutral or negative?\nUser: I am so happy today";
/// assert_eq!(read_completion(prompt, " Bot: Positive!"), Outcome::Positive);
/// assert_eq!(read_completion(prompt, &format!("{prompt}\nneutral")), Outcome::Neutral);
/// assert_eq!(read_completion(prompt, prompt), Outcome::Unsure);
/// ```
pub fn read_completion(prompt: &str, completion: &str) -> Outcome {
    words(without_echo(prompt, completion)).find_map(|word| word.parse().ok()).unwrap_or(Outcome::Unsure)
}

/// What follows the echo of `prompt`, or all of `completion` where it does not start with one.
fn without_echo<'c>(prompt: &str, completion: &'c str) -> &'c str {
    let unmarked = || {
        let text = completion.trim_start();
        START_MARKS.iter().find_map(|mark| text.strip_prefix(mark))
    };
    after_echo(prompt, completion).or_else(|| after_echo(prompt, unmarked()?)).unwrap_or(completion)
}

/// What follows the echo of `prompt` at the start of `text`; `None` where there is no echo.
fn after_echo<'t>(prompt: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text.char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut end = 0;
    for expected in prompt.chars().filter(|c| !c.is_whitespace()) {
        let (at, _) = rest.next().filter(|(_, c)| *c == expected)?;
        end = at + expected.len_utf8();
    }
    text.get(end..)
}

/// The words of a text: runs of letters and digits, with the hyphens between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_hyphen(c))
        .map(|word| word.trim_matches(is_hyphen))
        .filter(|word| !word.is_empty())
}

/// The hyphens that join words; dashes part them.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DEFAULT_PROMPT, Outcome::*};

    #[test]
    fn completions_of_real_models() {
        let cases: &[(&str, Outcome)] = &[
            ("positive", Positive),
            ("Neutral", Neutral),
            ("NEGATIVE", Negative),
            ("unsure", Unsure),
            ("POSITIVE!!!", Positive),
            (" \n\tnegative.\n", Negative),
            ("Sentiment: Positive.", Positive),
            ("Bot: neutral", Neutral),
            ("The sentiment is positive", Positive),
            ("positive\nUser: This is negative", Positive),
            ("positive</s>", Positive),
            ("[/INST] Negative", Negative),
            ("**Negative**", Negative),
            ("_neutral_", Neutral),
            ("`neutral`", Neutral),
            ("\"positive\"", Positive),
            ("«négatif» negative", Negative),
            ("{\"sentiment\": \"negative\"}", Negative),
            ("Sentiment:positive", Positive),
            ("positive/neutral", Positive),
            ("- positive", Positive),
            ("positive - it is a greeting", Positive),
            ("-positive-", Positive),
            ("neutral—a plain statement", Neutral),
            ("1.negative", Negative),
            ("\u{200b}positive\u{200b}", Positive),
            ("▁positive", Positive),
            ("Positive 😀", Positive),
            ("😀positive😀", Positive),
            ("not positive", Positive),
            ("unsure, perhaps positive", Unsure),
            ("nonnegative", Unsure),
            ("non-negative", Unsure),
            ("non\u{2011}negative, neutral", Neutral),
            ("positively delighted", Unsure),
            ("positive1", Unsure),
            ("positif", Unsure),
            ("", Unsure),
            ("   ", Unsure),
            ("?!…", Unsure),
            ("I cannot help with that", Unsure),
        ];
        for (completion, expected) in cases {
            assert_eq!(read_completion(DEFAULT_PROMPT, completion), *expected, "{completion:?}");
        }
    }

    #[test]
    fn an_echo_of_the_prompt_is_dropped() {
        let prompt = DEFAULT_PROMPT.replace("{SENTENCE}", "a negative\u{a0}day 🌧 — née");
        let squeezed = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
        let cases = [
            (format!("{prompt}positive"), Positive),
            (format!("{prompt}\nBot: neutral"), Neutral),
            (format!("\n {prompt}\n\nnegative"), Negative),
            (format!("{squeezed} positive"), Positive),
            (format!("<s>{prompt}</s>positive"), Positive),
            (format!(" <s> {squeezed} positive"), Positive),
            (format!("<|begin_of_text|>{prompt}neutral"), Neutral),
            (prompt.clone(), Unsure),
            (squeezed, Unsure),
            (format!("{prompt}\nI cannot tell"), Unsure),
        ];
        for (completion, expected) in &cases {
            assert_eq!(read_completion(&prompt, completion), *expected, "{completion:?}");
        }
    }

    #[test]
    fn a_prompt_without_text_is_no_echo() {
        for prompt in ["", " \n"] {
            assert_eq!(read_completion(prompt, " positive"), Positive);
        }
    }

    /// Punctuation, symbols and white space. Circled letters are symbols, and letters too.
    fn punctuation() -> impl Strategy<Value = String> {
        "[\\pP\\pS\\pZ\n]{0,6}".prop_filter("no letters", |text| !text.contains(char::is_alphanumeric))
    }

    proptest! {
        #[test]
        fn reading_never_panics(prompt in any::<String>(), completion in any::<String>()) {
            let _ = read_completion(&prompt, &completion);
            let _ = read_completion(&prompt, &format!("{prompt}{completion}"));
        }

        #[test]
        fn an_outcome_in_any_case_and_punctuation_is_read(
            // The digit keeps the prompt from being a piece of the completion, which would be taken for its echo.
            prompt in "\\PC{0,60}1\\PC{0,9}",
            outcome in prop::sample::select(&Outcome::ALL[..]),
            capitals in prop::collection::vec(any::<bool>(), 8),
            before in punctuation(),
            after in punctuation(),
        ) {
            let word: String = outcome.as_str().chars().zip(capitals)
                .map(|(c, capital)| if capital { c.to_ascii_uppercase() } else { c })
                .collect();
            prop_assert_eq!(read_completion(&prompt, &format!("{before}{word}{after}")), outcome);
        }

        #[test]
        fn an_echo_changes_nothing(prompt in "\\PC{0,60}[a-z]{9}", completion in "\\PC{0,40}") {
            prop_assert_eq!(
                read_completion(&prompt, &format!("{prompt}\n{completion}")),
                read_completion("", &completion)
            );
        }
    }
}

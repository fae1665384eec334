//! From the text a model generated to an outcome.

use crate::Outcome;
use crate::reasoning::without_reasoning;
use crate::search::{around, contains, pieces};
use crate::statement::{Statement, add_line, outcome};

/// Marks that a tokenizer puts before a text and some servers leave in an echo of it.
const START_MARKS: [&str; 3] = ["<s>", "<bos>", "<|begin_of_text|>"];

/// How a line begins, in small letters, that repeats what was asked, or goes on with a conversation of the model's own.
const INPUT_LABELS: [&str; 6] = ["user", "human", "sentence", "text", "input", "question"];

/// Reads the outcome out of `completion`, the text that a model generated for `prompt`.
///
/// 1. What is not the answer is dropped: an echo of the prompt (Spin's own inference returns the prompt with the completion
///    behind it; white space does not count in the comparison), reasoning (if the text ends inside it, there is no answer), a
///    quotation from the prompt, and everything from a line on that goes on with the conversation, such as `User: …`.
/// 2. In JSON, the first value that is an outcome counts, whatever its key.
/// 3. Otherwise the text is read statement by statement, see the module `statement`. A statement counts that names one
///    outcome, in any case and markup. An outcome that is denied is not named: `not positive`, `neither`, `rather than negative`. A
///    choice of several says nothing: `positive or negative`. Where several are named in other ways, one counts that stands
///    alone before a comma or after a colon, or follows `is`, `as` or `overall`.
/// 4. Of the statements that count, a verdict comes first (nothing but the outcome, or `sentiment`, `answer` and the like before
///    it), then any other, questions last; of equals, the first.
/// 5. There is none: [`Outcome::Unsure`].
///
/// | completion | outcome |
/// |---|---|
/// | `**Positive**.` | positive |
/// | `<think>Is it negative?</think>Positive` | positive |
/// | `<think>Is it negative` | unsure: cut off inside the reasoning |
/// | `<\|channel\|>analysis<\|message\|>Negative?<\|end\|><\|start\|>assistant<\|channel\|>final<\|message\|>Positive` | positive |
/// | `{"label": "neutral", "reason": "no positive words"}` | neutral |
/// | `not positive` | unsure |
/// | `Not negative, positive` | positive |
/// | `neither positive nor negative` | neutral |
/// | `more positive than negative` | positive |
/// | `positive or negative`, `Positive/Negative` | unsure |
/// | `between neutral and positive` | unsure |
/// | `Positive, negative or neutral? Neutral.` | neutral |
/// | `- positive` and `- negative` on two lines | unsure |
/// | `positive: 0.8, negative: 0.2` | unsure |
/// | `Positive, as the negative times are over` | positive |
/// | `Despite a negative start, the tone is positive` | positive |
/// | `A negative word. So the sentiment is positive.` | positive |
/// | `positive` and `User: a negative day` on two lines | positive |
/// | `nonnegative`, `non-negative`, `positively` | unsure: other words |
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
    let Some(answer) = without_reasoning(without_echo(prompt, completion)) else { return Outcome::Unsure };
    let prompt = plain(prompt);
    let answer = without_quotations(&prompt, &plain(answer));
    let in_words = || {
        let mut statements = Vec::new();
        for line in own_lines(&prompt, &answer) {
            add_line(&mut statements, line.as_bytes());
        }
        // Of equals, this is the first.
        let best = statements.iter().filter_map(Statement::read).min_by_key(|(rank, _)| *rank);
        best.map(|(_, outcome)| outcome)
    };
    json_value(answer.as_bytes()).or_else(in_words).unwrap_or(Outcome::Unsure)
}

/// The text in ASCII and small letters, which is all that the rules need: other letters are letters, other marks their ASCII kin or
/// space.
fn plain(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{2010}' | '\u{2011}' => '-',
        '–' | '—' => ',',
        '’' => '\'',
        '“' | '”' => '"',
        c if c.is_ascii() => c.to_ascii_lowercase(),
        c if c.is_alphanumeric() => 'x',
        _ => ' ',
    };
    text.chars().map(plain).collect()
}

/// The first value in an object that is an outcome and nothing else.
fn json_value(text: &[u8]) -> Option<Outcome> {
    let start = text.iter().position(|byte| *byte == b'{')?;
    let mut key: &[u8] = b"";
    for piece in text.get(start..)?.split(|byte| matches!(byte, b'"' | b'\'')) {
        if let Some(outcome) = outcome(piece.trim_ascii())
            && key.trim_ascii_end().ends_with(b":")
        {
            return Some(outcome);
        }
        key = piece;
    }
    None
}

/// The text without what it quotes from the prompt, which is most often the sentence itself. One quoted word is not a quotation.
fn without_quotations(prompt: &str, text: &str) -> String {
    let mut kept = String::new();
    for (index, piece) in pieces(text, "\"").enumerate() {
        // What comes before the first quotation mark is not quoted.
        let is_quotation = index > 0 && contains(piece.trim_ascii(), " ") && contains(prompt, piece);
        kept.push_str(if is_quotation { "" } else { piece });
        kept.push('"');
    }
    kept
}

/// The lines with which the model answers: without the input that it repeats, up to the one with which it goes on.
fn own_lines<'t>(prompt: &'t str, text: &'t str) -> impl Iterator<Item = &'t str> {
    let mut answered = false;
    pieces(text, "\n").filter(|line| !line.trim_ascii().is_empty()).map_while(move |line| match input(line) {
        Some(_) if answered => None,
        Some(input) if contains(prompt, input) => Some(""),
        _ => {
            answered = true;
            Some(line)
        }
    })
}

/// What a line such as `User: …` gives as input.
fn input(line: &str) -> Option<&str> {
    let (label, input) = around(line, ":")?;
    let mut label = label.as_bytes();
    while let [first, rest @ ..] = label
        && !first.is_ascii_alphabetic()
    {
        label = rest;
    }
    while let [rest @ .., last] = label
        && !last.is_ascii_alphabetic()
    {
        label = rest;
    }
    INPUT_LABELS.iter().any(|known| known.as_bytes() == label).then(|| input.trim_ascii())
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
            ("positive/neutral", Unsure),
            ("- positive", Positive),
            ("positive - it is a greeting", Positive),
            ("-positive-", Positive),
            ("neutral—a plain statement", Neutral),
            ("1.negative", Negative),
            ("\u{200b}positive\u{200b}", Positive),
            ("▁positive", Positive),
            ("Positive 😀", Positive),
            ("😀positive😀", Positive),
            ("not positive", Unsure),
            ("Not negative, positive", Positive),
            ("It isn't negative but positive", Positive),
            ("It isn’t negative", Unsure),
            ("NOT POSITIVE", Unsure),
            ("not positive or negative", Unsure),
            ("There is no doubt it's negative", Negative),
            ("It does not praise and is negative", Negative),
            ("neither positive nor negative", Neutral),
            ("neither positive nor neutral", Unsure),
            ("more positive than negative", Positive),
            ("positive or negative", Unsure),
            ("Positive/Negative", Unsure),
            ("positive, negative, or neutral", Unsure),
            ("between neutral and positive", Unsure),
            ("Positive, negative or neutral? Neutral.", Neutral),
            ("positive/negative/neutral: negative", Negative),
            ("Sentiment (positive/negative/neutral): Positive", Positive),
            ("Positive or negative, but I choose neutral", Neutral),
            ("- positive\n- negative", Unsure),
            ("1. positive\n2. neutral\n3. negative", Unsure),
            ("positive\npositive", Positive),
            ("positive: 0.8, negative: 0.2", Unsure),
            ("positive: 0.98", Positive),
            ("Positive, as the negative times are over", Positive),
            ("Despite a negative start, the tone is positive", Positive),
            ("It is clearly positive, even if negative words stand in it", Positive),
            ("It is neutral and could be seen as negative", Neutral),
            ("A negative word, a positive word", Unsure),
            ("A negative word. So the sentiment is positive.", Positive),
            ("Negative? It is positive.", Positive),
            ("Negative?", Negative),
            ("It is negative (not positive)", Negative),
            ("```json\n{\"sentiment\": \"positive\"}\n```", Positive),
            ("{\"label\": \"NEUTRAL\", \"reason\": \"no positive words\"}", Neutral),
            ("{'outcome' : 'negative'}", Negative),
            ("{\"positive\": 0.1, \"negative\": 0.9}", Unsure),
            ("positive {", Positive),
            ("<b>positive</b>", Positive),
            ("User: a fine day\nnegative", Negative),
            ("negative\nHuman: I am positive", Negative),
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
    fn quotations_from_the_prompt_do_not_count() {
        let prompt = "What is the sentiment?\nI had a negative day";
        for (completion, expected) in [
            ("\"I had a negative day\" may be positive", Positive),
            ("“I had a negative day” may be positive", Positive),
            ("\"I had a negative night\" may be positive", Unsure),
            ("The sentiment is \"negative\"", Negative),
            ("Sentence: I had a negative day\nSentiment: positive", Positive),
        ] {
            assert_eq!(read_completion(prompt, completion), expected, "{completion:?}");
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

    #[test]
    fn fuzz() {
        let seeds = [
            "User: {SENTENCE}\u{1f}Sentiment: **Positive**.",
            "rain\u{1f}<think>It may be negative.</think> neutral",
            "a\u{1f}The sentiment is not positive but negative, I think: \"neutral\"",
        ];
        fuzz::texts(&seeds, |prompt, completion| {
            let _ = read_completion(prompt, completion);
            let _ = read_completion(prompt, &format!("{prompt}\n{completion}"));
        });
    }
}

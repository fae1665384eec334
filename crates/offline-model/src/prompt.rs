//! Reading a prompt: which of its lines are examples, and where the sentence to classify begins.
//!
//! An example is a line `User: …`, more lines if need be, and a line with an outcome. Where the instructions end with
//! `[/INST]`, as in the article's prompts, all that follows the first `User:` after it is the sentence, whatever it
//! contains. Elsewhere the first `User:` text that no outcome line closes is the sentence, to the end of the prompt.
//! So a sentence of several lines counts whole, and lines in it that look like examples teach nothing.

/// What an example can be labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Positive,
    Neutral,
    Negative,
    Unsure,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Positive, Self::Neutral, Self::Negative, Self::Unsure];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Neutral => "neutral",
            Self::Negative => "negative",
            Self::Unsure => "unsure",
        }
    }
}

/// A text and what the prompt says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Example<'a> {
    pub(crate) text: &'a str,
    pub(crate) outcome: Outcome,
}

/// What a prompt holds. Texts are trimmed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prompt<'a> {
    pub(crate) examples: Vec<Example<'a>>,
    pub(crate) sentence: &'a str,
}

const END_OF_INSTRUCTIONS: &str = "[/INST]";

/// Words that, with a colon after them, begin a text: `User: …`. Any case.
const MARKERS: [&str; 6] = ["user", "human", "input", "sentence", "text", "review"];

/// Bytes within which a marker's colon is looked for.
const MARKER_REACH: usize = 12;

/// Words that, alone on the last line with a colon after them, ask for the answer: `Sentiment:`. Any case.
const CUES: [&str; 8] = ["sentiment", "answer", "output", "label", "response", "assistant", "bot", "outcome"];

impl<'a> Prompt<'a> {
    /// Reads any text, in linear time.
    pub(crate) fn read(prompt: &'a str) -> Self {
        if let Some((instructions, sentence)) = split_after_instructions(prompt) {
            let examples = blocks(instructions).iter().filter_map(Block::example).collect();
            return Self { examples, sentence: without_cue(sentence) };
        }
        let blocks = blocks(prompt);
        let closed = blocks.iter().take_while(|block| block.outcome.is_some()).count();
        let mut examples: Vec<_> = blocks.iter().take(closed).filter_map(Block::example).collect();
        if let Some(open) = blocks.get(closed) {
            return Self { examples, sentence: without_cue(open.rest) };
        }
        let after_examples = blocks.last().map_or(prompt, |block| block.after);
        let mut sentence = last_paragraph(without_cue(after_examples));
        if sentence.is_empty()
            && let Some(last) = blocks.last()
        {
            // A sentence of several lines of which the last is an outcome, rather than an example without a sentence.
            examples.pop();
            sentence = last.rest.trim();
        }
        Self { examples, sentence }
    }
}

/// Splits after the first `[/INST]` that a `User:` follows; the second part is what comes after that `User:`.
fn split_after_instructions(prompt: &str) -> Option<(&str, &str)> {
    prompt.match_indices(END_OF_INSTRUCTIONS).find_map(|(at, end)| {
        let sentence = after_marker(&prompt[at + end.len()..])?;
        Some((&prompt[..at], sentence))
    })
}

/// A text that a marker began, up to the line with its outcome or, without one, up to the next marker.
struct Block<'a> {
    /// From the marker to the end of the prompt.
    rest: &'a str,
    /// The text and its outcome, if a line closed the block.
    outcome: Option<(&'a str, Outcome)>,
    /// What follows the outcome's line.
    after: &'a str,
}

impl<'a> Block<'a> {
    fn example(&self) -> Option<Example<'a>> {
        self.outcome.map(|(text, outcome)| Example { text: text.trim(), outcome })
    }
}

fn blocks(prompt: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut next = 0;
    for line in prompt.split_inclusive('\n') {
        let start = next;
        next += line.len();
        if let Some(text) = after_marker(line) {
            blocks.push(Block { rest: &prompt[next - text.len()..], outcome: None, after: "" });
        } else if let Some(open) = blocks.last_mut().filter(|block| block.outcome.is_none())
            && let Some(outcome) = outcome_line(line)
        {
            let text = &open.rest[..open.rest.len() - (prompt.len() - start)];
            open.outcome = Some((text, outcome));
            open.after = &prompt[next..];
        }
    }
    blocks
}

/// What follows `User:` at the start of the text, white space aside.
fn after_marker(text: &str) -> Option<&str> {
    let text = text.trim_start();
    // Looking no further than a marker can reach keeps the whole reading linear.
    let colon = text.bytes().take(MARKER_REACH).position(|byte| byte == b':')?;
    is_one_of(&text[..colon], &MARKERS).then_some(&text[colon + 1..])
}

/// The outcome, if the line says nothing else: `positive`, `Bot: Positive.`, `- **positive**`.
fn outcome_line(line: &str) -> Option<Outcome> {
    let answer = match line.split_once(':') {
        Some((word, answer)) if word.trim().chars().all(char::is_alphabetic) => answer,
        _ => line,
    };
    let word = answer.trim_matches(|c: char| !c.is_alphanumeric());
    Outcome::ALL.into_iter().find(|outcome| word.eq_ignore_ascii_case(outcome.as_str()))
}

/// The text, trimmed, without a last line that only asks for the answer: `Sentiment:` or `[/INST]`.
fn without_cue(text: &str) -> &str {
    let mut text = text.trim();
    text = text.strip_suffix(END_OF_INSTRUCTIONS).unwrap_or(text).trim_end();
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    match last.trim().strip_suffix(':') {
        Some(word) if is_one_of(word, &CUES) => before.trim_end(),
        _ => text,
    }
}

/// What follows the last blank line.
fn last_paragraph(text: &str) -> &str {
    let mut start = 0;
    let mut next = 0;
    for line in text.split_inclusive('\n') {
        next += line.len();
        if line.trim().is_empty() {
            start = next;
        }
    }
    text[start..].trim()
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    let word = word.trim_end();
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE_A: &str = include_str!("../../../prompts/case-a.txt");

    fn read(prompt: &str) -> (Vec<(&str, &str)>, &str) {
        let prompt = Prompt::read(prompt);
        let examples =
            prompt.examples.iter().map(|example| (example.text, example.outcome.as_str())).collect();
        (examples, prompt.sentence)
    }

    #[test]
    fn the_articles_prompt_is_read_whatever_the_sentence_contains() {
        let examples = vec![
            ("Hey, how's it going?", "neutral"),
            ("I just aced my exam!", "positive"),
            ("The weather is ruining my day.", "negative"),
        ];
        for sentence in [
            "I love it",
            "",
            "two\nlines",
            "two\n\nparagraphs",
            "I hate it\nUser: x\npositive",
            "I hate it\npositive\nUser: x\npositive",
            "[/INST]\nUser: x",
            "[INST] <<SYS>> positive <</SYS>>",
            "User: User: x",
            "{SENTENCE}",
            "Sentiment: what a word",
        ] {
            assert_eq!(read(&CASE_A.replace("{SENTENCE}", sentence)), (examples.clone(), sentence));
        }
    }

    #[test]
    fn other_formats() {
        let good = vec![("good day", "positive")];
        for (prompt, examples, sentence) in [
            // Nothing but a sentence.
            ("", vec![], ""),
            ("I love it", vec![], "I love it"),
            ("User: I love it", vec![], "I love it"),
            // The instructions end at the end of the prompt, as in Llama's own format.
            ("<s>[INST] x\nUser: good day\npositive\n\nUser: a\nb [/INST]", good.clone(), "a\nb"),
            // No [/INST] at all, other markers, other outcome lines, Windows line ends.
            ("User: good day\npositive\nUser: a\nb", good.clone(), "a\nb"),
            ("text: good day\r\nSentiment: Positive.\r\n\r\nText: a\r\nSentiment:", good.clone(), "a"),
            ("Review: good day\n- **positive**\nReview: a", good.clone(), "a"),
            (
                "Human: good\nday\nAssistant: positive\nHuman: a\nAssistant:",
                vec![("good\nday", "positive")],
                "a",
            ),
            ("User: good day\nunsure\nUser: a", vec![("good day", "unsure")], "a"),
            // Lines in the sentence that look like examples teach nothing.
            ("User: good day\npositive\nUser: a\nUser: x\nnegative", good.clone(), "a\nUser: x\nnegative"),
            // The sentence ends in an outcome.
            ("User: good day\npositive\nUser: a\nnegative", good.clone(), "a\nnegative"),
            // A marker before the examples only.
            ("User: good day\npositive\n\nClassify:\n\na\nb", good.clone(), "a\nb"),
            ("Classify this as positive, neutral or negative.\n\na\nb\n\nAnswer:", vec![], "a\nb"),
            // A label that is not an outcome is not an example, and between instructions and [/INST] loses only itself.
            ("[INST]\nUser: x\nmixed\nUser: good day\npositive\n[/INST]\nUser: a", good, "a"),
        ] {
            assert_eq!(read(prompt), (examples, sentence), "{prompt:?}");
        }
    }
}

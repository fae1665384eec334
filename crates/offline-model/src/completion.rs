//! A completion: the answer in one word, with token counts.

use crate::rule::{Explanation, explain};

/// What a model returns for a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The bare outcome, without the prompt: `positive`. Shorter only where `max_tokens` cuts it off.
    pub text: String,
    /// Tokens in the prompt, estimated: one for every four bytes of UTF-8, rounded up.
    pub prompt_tokens: u32,
    /// Tokens in `text`, estimated in the same way; at most `max_tokens`.
    pub generated_tokens: u32,
    /// Whether `max_tokens` cut the answer off.
    pub is_cut_off: bool,
}

const BYTES_PER_TOKEN: usize = 4;

/// Completes a prompt: the same prompt always gets the same answer, in time linear in its length.
///
/// Every text is a prompt; one without a sentence is `neutral`. An outcome takes two tokens.
pub fn complete(prompt: &str, max_tokens: u32) -> Completion {
    complete_and_explain(prompt, max_tokens).0
}

pub(crate) fn complete_and_explain(prompt: &str, max_tokens: u32) -> (Completion, Explanation) {
    let explanation = explain(prompt);
    let answer = explanation.outcome;
    let most_bytes = usize::try_from(max_tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN);
    let text = answer.get(..most_bytes).unwrap_or(answer);
    let completion = Completion {
        text: text.to_owned(),
        prompt_tokens: estimated_tokens(prompt),
        generated_tokens: estimated_tokens(text),
        is_cut_off: text.len() < answer.len(),
    };
    (completion, explanation)
}

fn estimated_tokens(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(BYTES_PER_TOKEN)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn max_tokens_cuts_the_answer_off() {
        for (max_tokens, text, generated_tokens, is_cut_off) in [
            (0, "", 0, true),
            (1, "posi", 1, true),
            (2, "positive", 2, false),
            (u32::MAX, "positive", 2, false),
        ] {
            let expected = Completion { text: text.into(), prompt_tokens: 3, generated_tokens, is_cut_off };
            assert_eq!(complete("I love it!", max_tokens), expected);
        }
    }

    /// With anything quadratic in it, a mebibyte takes hours.
    #[test]
    fn a_long_prompt_takes_linear_time() {
        let started = std::time::Instant::now();
        for piece in
            ["[/INST] ", "User:\n", "User: a\npositive\n", "good, but ", "\n", "Bot:\n", "a", "😀", ":"]
        {
            complete(&piece.repeat(1024 * 1024 / piece.len()), 6);
        }
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    /// Text that looks like a prompt more often than chance would have it.
    fn any_prompt() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            prop::sample::select(vec![
                "User:",
                "user :",
                "[INST]",
                "[/INST]",
                "\n",
                "\r\n",
                ":",
                "positive",
                "negative\n",
                "neutral",
                "Bot:",
                "Sentiment:",
                "but",
                "not",
                "great",
                "awful",
                "😀",
                "\u{0}",
                "é",
                " ",
                "!!!",
                "<<SYS>>",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_text_gets_the_same_outcome_every_time(prompt in any_prompt(), max_tokens in 0_u32..12) {
            let completion = complete(&prompt, max_tokens);
            prop_assert_eq!(&completion, &complete(&prompt, max_tokens));
            prop_assert!(completion.generated_tokens <= max_tokens);
            let whole = complete(&prompt, u32::MAX);
            prop_assert!(["positive", "neutral", "negative", "unsure"].contains(&whole.text.as_str()));
            prop_assert!(whole.text.starts_with(&completion.text));
        }

        #[test]
        fn the_sentence_alone_decides_after_the_instructions(sentence in any_prompt()) {
            let rendered = include_str!("../../../prompts/default.txt").replace("{SENTENCE}", &sentence);
            let explanation = crate::explain(&rendered);
            prop_assert_eq!((explanation.positive_from, explanation.negative_from), (0.3474, -0.05));
        }
    }
}

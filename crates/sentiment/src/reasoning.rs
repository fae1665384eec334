//! The reasoning that models put before their answer, where the server does not keep it apart.

use crate::search::{around, contains, pieces};

/// Before a channel's name, and between it and its text, as gpt-oss writes them.
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";

/// The channel that has the answer, and what is left of its marks where a server leaves them out.
const FINAL: &str = "<|channel|>final";
const UNMARKED_FINAL: &str = "assistantfinal";

/// What other models put around their reasoning.
const REASONING: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel>", "<channel|>"),
];

/// What follows the reasoning at the start of `completion`, or all of it where there is none. `None` where it ends inside the
/// reasoning: the model did not come to an answer.
pub fn without_reasoning(completion: &str) -> Option<&str> {
    if has_channels(completion) {
        return final_channel(completion);
    }
    let mut text = completion;
    for (start, end) in REASONING {
        // Where the prompt's template starts the reasoning, the completion has its end alone.
        text = pieces(text, end).last()?;
        if let Some((before, _)) = around(text, start) {
            return Some(before).filter(|before| !before.trim_ascii().is_empty());
        }
    }
    Some(text)
}

/// Whether the completion is in channels. Some servers leave their marks out: `analysisThe user asks …assistantfinalPositive`.
fn has_channels(completion: &str) -> bool {
    let is_unmarked = match completion.trim_ascii_start().as_bytes() {
        [b'a', b'n', b'a', b'l', b'y', b's', b'i', b's', next, ..] => next.is_ascii_uppercase(),
        _ => false,
    };
    is_unmarked || [CHANNEL, MESSAGE, UNMARKED_FINAL].iter().any(|mark| contains(completion, mark))
}

/// The text in the channel `final`.
fn final_channel(completion: &str) -> Option<&str> {
    match pieces(completion, FINAL).skip(1).last() {
        Some(channel) => around(channel, MESSAGE).map(|(_, answer)| answer),
        None => pieces(completion, UNMARKED_FINAL).skip(1).last(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_is_no_answer() {
        let channels = "<|channel|>analysis<|message|>negative?<|end|><|start|>assistant<|channel|>";
        let cases: &[(&str, Option<&str>)] = &[
            ("positive", Some("positive")),
            ("<think>negative?</think> positive", Some(" positive")),
            ("<think>a</think><think>b</think>positive", Some("positive")),
            ("negative?</think>positive", Some("positive")),
            ("<think>negative", None),
            (" <think>a</think>\n<think>negative", None),
            ("positive <think>negative", Some("positive ")),
            ("[THINK]negative?[/THINK]positive", Some("positive")),
            (&format!("{channels}final<|message|>positive"), Some("positive")),
            (&format!("{channels}final"), None),
            (channels, None),
            ("analysisNegative? No.assistantfinalpositive", Some("positive")),
            ("analysisNegative", None),
            ("analysis: negative", Some("analysis: negative")),
        ];
        for (completion, expected) in cases {
            assert_eq!(without_reasoning(completion), *expected, "{completion:?}");
        }
    }
}

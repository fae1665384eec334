//! What is asked.

use serde::Serialize;

use crate::Dialect;
use crate::dialect::Parameter;

/// A prompt for a model, and how to complete it. No penalty is ever sent: it would shift the words of a prompt's examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'q> {
    /// The model, as its server knows it.
    pub model: &'q str,
    /// The text of the only message, which is the user's.
    pub prompt: &'q str,
    /// How many tokens to generate at most.
    pub max_tokens: u32,
    /// How random the choice of tokens is; 0 is not at all.
    pub temperature: f32,
    /// What makes that choice repeatable, where the server takes it.
    pub seed: Option<u32>,
}

impl Question<'_> {
    /// The seed of whoever has no reason for another.
    pub const SEED: u32 = 0;

    /// The body of the request, in a form that the server takes.
    pub(crate) fn body(&self, dialect: Dialect) -> String {
        let limit = |parameter| dialect.sends(parameter).then_some(self.max_tokens);
        let body = Body {
            model: self.model,
            messages: [Message { role: "user", content: self.prompt }],
            max_tokens: limit(Parameter::MaxTokens),
            max_completion_tokens: limit(Parameter::MaxCompletionTokens),
            temperature: dialect.sends(Parameter::Temperature).then_some(self.temperature),
            seed: self.seed.filter(|_| dialect.sends(Parameter::Seed)),
            stream: false,
        };
        // Text and numbers can always be written.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'q> {
    model: &'q str,
    messages: [Message<'q>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'q> {
    role: &'static str,
    content: &'q str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question =
        Question { model: "m", prompt: "a \"b\"\n", max_tokens: 6, temperature: 0.7, seed: Some(1) };

    #[test]
    fn a_body_has_what_the_dialect_sends_and_no_penalty() {
        use Parameter::{MaxTokens, Seed, Temperature};
        let head = r#"{"model":"m","messages":[{"role":"user","content":"a \"b\"\n"}]"#;
        let cases: [(&[Parameter], &str); 3] = [
            (&[], r#","max_tokens":6,"temperature":0.7,"seed":1,"stream":false}"#),
            (&[MaxTokens], r#","max_completion_tokens":6,"temperature":0.7,"seed":1,"stream":false}"#),
            (&[Temperature, Seed], r#","max_tokens":6,"stream":false}"#),
        ];
        for (refused, rest) in cases {
            let dialect = Dialect::refusing(refused);
            assert_eq!(QUESTION.body(dialect), format!("{head}{rest}"), "{refused:?}");
        }
        let unseeded = Question { seed: None, ..QUESTION }.body(Dialect::default());
        assert!(!unseeded.contains("seed"), "{unseeded}");
    }
}

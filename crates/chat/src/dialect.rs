//! The form of a question, as servers take different ones.

use crate::{Failure, FailureKind};

/// A parameter that some servers or models refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The limit of tokens. Reasoning models of `OpenAI` refuse it.
    MaxTokens,
    /// The limit of tokens by its newer name. Mistral refuses it; llama-cpp-python and Ollama ignore it.
    MaxCompletionTokens,
    /// How random the choice of tokens is. Reasoning models of `OpenAI` refuse it.
    Temperature,
    /// What makes the choice of tokens repeatable. Mistral refuses it.
    Seed,
}

impl Parameter {
    pub(crate) const ALL: [Self; 4] =
        [Self::MaxTokens, Self::MaxCompletionTokens, Self::Temperature, Self::Seed];

    /// Its name in the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::Temperature => "temperature",
            Self::Seed => "seed",
        }
    }
}

/// Which parameters a question is sent with.
///
/// The default is `max_tokens`, `temperature` and `seed`. What a server refuses is not sent again: instead of `max_tokens`,
/// `max_completion_tokens` is sent; the others are left out. That order is the safe one, as servers that know only `max_tokens`
/// ignore the other silently. A caller keeps the dialect of a completion for the next question, and forgets one that led to
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    limit: Parameter,
    temperature: bool,
    seed: bool,
}

impl Dialect {
    /// The form that is tried first.
    pub const fn new() -> Self {
        Self { limit: Parameter::MaxTokens, temperature: true, seed: true }
    }

    /// The form to try after a failure; `None` where another form would not help. At most three follow the first.
    #[must_use]
    pub fn after_refusal(self, failure: &Failure) -> Option<Self> {
        if failure.kind() != FailureKind::RefusedParameters {
            return None;
        }
        // A message may name the parameter to use instead: the first that was sent is the one that was refused.
        let refused = failure.named_parameters().iter().find(|parameter| self.sends(**parameter))?;
        self.without(*refused)
    }

    /// Whether a question is sent with this parameter.
    pub fn sends(self, parameter: Parameter) -> bool {
        match parameter {
            Parameter::MaxTokens | Parameter::MaxCompletionTokens => self.limit == parameter,
            Parameter::Temperature => self.temperature,
            Parameter::Seed => self.seed,
        }
    }

    /// The parameters that a question is sent with.
    pub fn parameters(self) -> impl Iterator<Item = Parameter> {
        Parameter::ALL.into_iter().filter(move |parameter| self.sends(*parameter))
    }

    fn without(self, refused: Parameter) -> Option<Self> {
        match refused {
            Parameter::MaxTokens => Some(Self { limit: Parameter::MaxCompletionTokens, ..self }),
            Parameter::MaxCompletionTokens => None,
            Parameter::Temperature => Some(Self { temperature: false, ..self }),
            Parameter::Seed => Some(Self { seed: false, ..self }),
        }
    }

    #[cfg(test)]
    pub(crate) fn refusing(parameters: &[Parameter]) -> Self {
        parameters.iter().fold(Self::new(), |dialect, parameter| dialect.without(*parameter).unwrap())
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use http::{Response, StatusCode};

    use super::{Parameter::*, *};
    use crate::{Question, Server};

    fn failure(status: StatusCode, body: &str) -> Failure {
        let server = Server::new("http://h", "", "").unwrap();
        let question = Question { model: "m", prompt: "p", max_tokens: 6, temperature: 0.0, seed: None };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        server.read_completion(&question, &response).unwrap_err()
    }

    /// What was refused before, the answer now, and what is refused then, if there is another form to try.
    type Row<'r> = (&'r [Parameter], StatusCode, &'r str, Option<&'r [Parameter]>);

    #[test]
    fn the_next_form_after_a_refusal() {
        let openai_limit = r#"{"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}}"#;
        let openai_temperature = r#"{"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}}"#;
        let advice_first = r#"{"error": {"message": "use max_completion_tokens, not max_tokens"}}"#;
        let mistral = r#"{"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 42}]}, "type": "invalid_request_error", "param": null}"#;
        let mistral_in_text = r#"{"object": "error", "message": "{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"Extra inputs are not permitted\"}]}"}"#;
        let litellm = r#"{"error": {"message": "litellm.UnsupportedParamsError: openai does not support parameters: ['temperature'], for model=o1.", "code": "400"}}"#;
        let too_hot = r#"{"error": {"message": "temperature: range: 0..1", "param": "temperature"}}"#;
        let other = r#"{"error": {"message": "this model's context has 2048 tokens", "param": "messages"}}"#;
        let bad = StatusCode::BAD_REQUEST;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let cases: &[Row] = &[
            (&[], bad, openai_limit, Some(&[MaxTokens])),
            (&[MaxTokens], bad, openai_limit, None),
            (&[], bad, advice_first, Some(&[MaxTokens])),
            (&[], bad, openai_temperature, Some(&[Temperature])),
            (&[MaxTokens], bad, openai_temperature, Some(&[MaxTokens, Temperature])),
            (&[Temperature], bad, openai_temperature, None),
            (&[], bad, litellm, Some(&[Temperature])),
            (&[], unprocessable, mistral, Some(&[Seed])),
            (&[], unprocessable, mistral_in_text, Some(&[Seed])),
            (&[], unprocessable, r#"{"detail": "seed: unknown field"}"#, Some(&[Seed])),
            (&[], bad, r#"{"error": "max_completion_tokens is unknown"}"#, None),
            (&[MaxTokens], bad, r#"{"error": "max_completion_tokens is unknown"}"#, None),
            (&[], bad, r#"{"error": "seeds, my_seed and seed2 are other words"}"#, None),
            // The value is refused, not the parameter: dropping it would change what is measured.
            (&[], bad, too_hot, None),
            (&[], bad, r#"{"detail": "`temperature` must be strictly positive"}"#, None),
            (&[], bad, other, None),
            (&[], StatusCode::INTERNAL_SERVER_ERROR, openai_limit, None),
            (&[], StatusCode::UNAUTHORIZED, openai_limit, None),
        ];
        for (refused, status, body, next) in cases {
            let after = Dialect::refusing(refused).after_refusal(&failure(*status, body));
            assert_eq!(after, next.map(Dialect::refusing), "{refused:?} {body}");
        }
    }

    #[test]
    fn a_server_that_refuses_everything_is_asked_four_times() {
        let all = r#"{"error": "not known: temperature, seed, max_tokens, max_completion_tokens"}"#;
        let mut tried = vec![Dialect::default()];
        while let Some(next) = tried.last().unwrap().after_refusal(&failure(StatusCode::BAD_REQUEST, all)) {
            tried.push(next);
        }
        let sent: Vec<Vec<_>> =
            tried.iter().map(|dialect| dialect.parameters().map(Parameter::name).collect()).collect();
        assert_eq!(
            sent,
            [
                vec!["max_tokens", "temperature", "seed"],
                vec!["max_tokens", "seed"],
                vec!["max_tokens"],
                vec!["max_completion_tokens"]
            ]
        );
    }
}

//! Reading what came back.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::Value;

use crate::error_message::ErrorMessage;
use crate::{Failure, FailureKind, Parameter, Question, Server};

/// What a model generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The text. Reasoning that the server keeps apart is not in it.
    pub text: String,
    /// How many tokens the prompt has; 0 where the server does not say.
    pub prompt_tokens: u32,
    /// How many were generated, reasoning included; 0 where the server does not say.
    pub generated_tokens: u32,
    /// Why the model stopped: `stop` or `length`, or a word of the server's.
    pub finish_reason: Option<String>,
}

impl Server {
    /// Reads the answer to a question. The body must be whole, of at most [`MAX_ANSWER_BYTES`](crate::MAX_ANSWER_BYTES).
    pub fn read_completion<B: AsRef<[u8]>>(
        &self,
        question: &Question,
        response: &Response<B>,
    ) -> Result<Completion, Failure> {
        let answer = Answered {
            server: self,
            question: Some(question),
            status: response.status(),
            headers: response.headers(),
        };
        let body = answer.body(response.body().as_ref())?;
        answer.completion(question, &body)
    }
}

/// The head of an answer, with what was asked.
pub(crate) struct Answered<'a> {
    pub(crate) server: &'a Server,
    pub(crate) question: Option<&'a Question<'a>>,
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
}

impl Answered<'_> {
    /// The JSON of a success.
    pub(crate) fn body(&self, body: &[u8]) -> Result<Value, Failure> {
        let json = serde_json::from_slice::<Value>(body);
        let said = json.as_ref().ok().and_then(ErrorMessage::read);
        if !self.status.is_success() {
            return Err(self.refusal(self.status, said.unwrap_or_default()));
        }
        let error = match json {
            // An error may come with status 200 and its own in the body.
            Ok(body) => match said.filter(|_| body.get("error").is_some_and(|error| !error.is_null())) {
                Some(said) => {
                    let status = said.status().and_then(|status| StatusCode::from_u16(status).ok());
                    return Err(self.refusal(status.unwrap_or(self.status), said));
                }
                None => return Ok(body),
            },
            Err(error) => error,
        };
        Err(if self.is_html(body) {
            self.failure(FailureKind::NotTheProtocol, "it is a page of HTML")
        } else if error.is_eof() && !body.is_empty() {
            self.failure(FailureKind::CutOff, "")
        } else {
            self.failure(FailureKind::NotTheProtocol, "the answer is not JSON")
        })
    }

    fn completion(&self, question: &Question, body: &Value) -> Result<Completion, Failure> {
        let Some(message) = body.pointer("/choices/0/message").filter(|message| message.is_object()) else {
            return Err(self.failure(FailureKind::NotTheProtocol, "the answer has no `choices[0].message`"));
        };
        let finish_reason = body.pointer("/choices/0/finish_reason").and_then(Value::as_str);
        let text = text(message);
        let is_blank = text.as_ref().is_none_or(|text| text.trim().is_empty());
        if is_blank && finish_reason == Some("content_filter") {
            return Err(self.failure(FailureKind::Refused, "its content filter withheld the answer"));
        }
        let Some(text) = text.filter(|_| !is_blank || finish_reason != Some("length")) else {
            let predicate = format!("gave no answer within the limit of {} tokens", question.max_tokens);
            let redaction = self.server.redaction(question.prompt);
            return Err(Failure::saying(FailureKind::NoAnswer, self.server, &predicate, &redaction, ""));
        };
        let tokens = |name: &str| {
            let count = body.get("usage").and_then(|usage| usage.get(name)).and_then(Value::as_u64);
            count.map_or(0, |count| count.try_into().unwrap_or(u32::MAX))
        };
        Ok(Completion {
            text,
            prompt_tokens: tokens("prompt_tokens"),
            generated_tokens: tokens("completion_tokens"),
            finish_reason: finish_reason.map(str::to_owned),
        })
    }

    /// What a status that is not a success means, with the server's own words.
    fn refusal(&self, status: StatusCode, said: ErrorMessage) -> Failure {
        let named = named_parameters(&said);
        let kind = kind(status, &said, !named.is_empty());
        let reason = match self.headers.get(LOCATION).filter(|_| status.is_redirection()) {
            Some(location) => {
                let location = String::from_utf8_lossy(location.as_bytes());
                format!("redirects are not followed, and this one leads to {location}")
            }
            None => said.text,
        };
        let mut predicate = match (kind, self.question) {
            (FailureKind::Token, _) if !self.server.has_token() => "wants a token".to_owned(),
            (FailureKind::UnknownModel, Some(question)) => {
                format!("does not know the model `{}`", question.model)
            }
            _ => kind.predicate().to_owned(),
        };
        if !status.is_success() {
            predicate = format!("{predicate} ({status})");
        }
        let redaction = self.server.redaction(self.question.map_or("", |question| question.prompt));
        Failure::saying(kind, self.server, &predicate, &redaction, &reason)
            .with_retry_after(retry_after(self.headers))
            .with_named(named)
    }

    pub(crate) fn failure(&self, kind: FailureKind, reason: &str) -> Failure {
        self.server.failure(kind, reason)
    }

    fn is_html(&self, body: &[u8]) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        content_type.to_ascii_lowercase().starts_with(b"text/html")
            || body.trim_ascii_start().starts_with(b"<")
    }
}

/// The text of a message, which some servers send in parts; of a refusal, the refusal. `None` for `null`.
fn text(message: &Value) -> Option<String> {
    match message.get("content") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => {
            Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
        }
        _ => message.get("refusal").and_then(Value::as_str).map(str::to_owned),
    }
}

fn kind(status: StatusCode, said: &ErrorMessage, names_parameters: bool) -> FailureKind {
    match status.as_u16() {
        400 | 422 if names_parameters => FailureKind::RefusedParameters,
        400 | 403 | 404 | 422 if is_about_the_model(said) => FailureKind::UnknownModel,
        401 | 403 => FailureKind::Token,
        404 if mentions_model(said) => FailureKind::UnknownModel,
        300..=399 | 404 | 405 | 410 => FailureKind::WrongPath,
        408 => FailureKind::TimedOut,
        429 => FailureKind::RateLimited,
        425 | 500..=599 => FailureKind::Overloaded,
        // LM Studio answers 200 where there is nothing.
        200..=299 if said.text.starts_with("Unexpected endpoint") => FailureKind::WrongPath,
        _ => FailureKind::Refused,
    }
}

/// Whether an error says that the model is unknown, with any status.
fn is_about_the_model(said: &ErrorMessage) -> bool {
    const UNKNOWN: [&str; 6] =
        ["not found", "not exist", "not a valid model", "invalid model", "unknown model", "no such model"];
    let text = said.text.to_ascii_lowercase();
    said.has_code("model_not_found")
        || said.parameter.as_deref() == Some("model")
        || (mentions_model(said) && UNKNOWN.iter().any(|words| text.contains(words)))
}

fn mentions_model(said: &ErrorMessage) -> bool {
    said.text.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "model")
}

/// The parameters that an error names, the one it names apart from its text first. Where it says which values a temperature
/// may have, it does not refuse the parameter: to leave it out would change what is measured.
fn named_parameters(said: &ErrorMessage) -> Vec<Parameter> {
    const VALUES: [&str; 9] =
        ["between", "range", "greater", "less", "at most", "at least", "positive", "negative", "value <="];
    let words = |text: &str| -> Vec<Parameter> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words
            .filter_map(|word| Parameter::ALL.into_iter().find(|parameter| parameter.name() == word))
            .collect()
    };
    let mut named = words(said.parameter.as_deref().unwrap_or_default());
    named.extend(words(&said.text));
    if VALUES.iter().any(|word| said.text.contains(word)) {
        named.retain(|parameter| *parameter != Parameter::Temperature);
    }
    named
}

/// `Retry-After` in seconds, a fraction rounded up. A date says nothing to somebody without a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, ""));
    let seconds: u64 = seconds.parse().ok()?;
    let more = u64::from(fraction.contains(|digit| digit != '0'));
    Some(Duration::from_secs(seconds.saturating_add(more)))
}

#[cfg(test)]
mod tests;

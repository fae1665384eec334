//! The app's settings: component variables, whose defaults stand in `spin.toml`. The components read them with this code, and
//! whoever starts the app can check them with it first.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use experiment::{Assignment, Experiment};
use serde::de::DeserializeOwned;

use crate::Misconfigured;

/// The settings of the component that classifies sentences.
#[derive(Debug, PartialEq)]
pub struct Settings {
    /// `variants`: which labels take part, with which weights.
    pub experiment: Experiment,
    /// `assignment`: how a request gets its variant.
    pub assignment: Assignment,
    /// `model`: the model's name.
    pub model: String,
    /// `model_note`: what the pages say about the model; may be empty.
    pub model_note: String,
    /// `temperature`: from 0, for the most probable answer, to 2.
    pub temperature: f32,
    /// `max_tokens`: how many tokens a completion may have at most, from 1 to 32,768.
    pub max_tokens: u32,
    /// `model_timeout`: how long to wait for an inference, from a millisecond to an hour; the variable is in seconds.
    pub model_timeout: Duration,
}

impl Settings {
    /// The names of the variables.
    pub const VARIABLES: [&str; 7] =
        ["variants", "assignment", "model", "model_note", "temperature", "max_tokens", "model_timeout"];

    /// From the variables' values, in the order of [`VARIABLES`](Self::VARIABLES).
    pub fn parse(values: [&str; Self::VARIABLES.len()]) -> Result<Self, Misconfigured> {
        let [variants, assignment, name, model_note, temperature, max_tokens, model_timeout] = values;
        Ok(Self {
            experiment: experiment(variants)?,
            assignment: parse("assignment", assignment)?,
            model: model(name)?,
            model_note: model_note.trim().to_owned(),
            temperature: self::temperature(temperature)?,
            max_tokens: self::max_tokens(max_tokens)?,
            model_timeout: self::model_timeout(model_timeout)?,
        })
    }
}

/// The experiment in the value of the variable `variants`.
pub fn experiment(variants: &str) -> Result<Experiment, Misconfigured> {
    parse("variants", variants)
}

/// The name in the value of the variable `model`.
pub fn model(name: &str) -> Result<String, Misconfigured> {
    match name.trim() {
        "" => Err(Misconfigured::new("model", "it is empty; name a model, such as `llama2-chat`")),
        name => Ok(name.to_owned()),
    }
}

/// The number in the value of the variable `temperature`.
pub fn temperature(value: &str) -> Result<f32, Misconfigured> {
    number("temperature", value, 0.0..=2.0, "a number from 0 to 2")
}

/// The number in the value of the variable `max_tokens`.
pub fn max_tokens(value: &str) -> Result<u32, Misconfigured> {
    number("max_tokens", value, 1..=32_768, "a whole number from 1 to 32768")
}

/// The time in the value of the variable `model_timeout`.
pub fn model_timeout(value: &str) -> Result<Duration, Misconfigured> {
    let expected = "a number of seconds from 0.001 to 3600";
    number("model_timeout", value, 0.001..=3600.0, expected).map(Duration::from_secs_f32)
}

/// Asks the host for the values of variables.
#[cfg(target_family = "wasm")]
pub async fn load<const N: usize>(names: [&'static str; N]) -> Result<[String; N], Misconfigured> {
    let mut values = [const { String::new() }; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = spin_sdk::variables::get(name).await.map_err(|error| Misconfigured::new(name, error))?;
    }
    Ok(values)
}

fn parse<T: FromStr<Err: fmt::Display>>(name: &'static str, value: &str) -> Result<T, Misconfigured> {
    value.trim().parse().map_err(|error| Misconfigured::new(name, error))
}

/// Reads a number as JSON has it: the parser is there already, and knows neither infinity nor NaN.
fn number<N: DeserializeOwned + PartialOrd>(
    name: &'static str,
    value: &str,
    range: RangeInclusive<N>,
    expected: &str,
) -> Result<N, Misconfigured> {
    let value = value.trim();
    let number = serde_json::from_str(value).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Misconfigured::new(name, format_args!("`{value}` is not {expected}")))
}

#[cfg(test)]
mod tests {
    use problem::Problem;

    use super::*;

    const DEFAULTS: [&str; Settings::VARIABLES.len()] =
        ["promptstore1,promptstore2", "random", "llama2-chat", "", "0", "6", "30"];

    /// The defaults, except for one variable.
    fn with(name: &str, text: &'static str) -> Result<Settings, Misconfigured> {
        let place = Settings::VARIABLES.iter().position(|other| *other == name).unwrap();
        let mut texts = DEFAULTS;
        texts[place] = text;
        Settings::parse(texts)
    }

    #[test]
    fn the_defaults_of_the_manifest() {
        let settings = Settings::parse(DEFAULTS).unwrap();
        assert_eq!(settings.experiment.variants().len(), 2);
        assert_eq!(settings.assignment, Assignment::Random);
        assert_eq!((settings.model.as_str(), settings.model_note.as_str()), ("llama2-chat", ""));
        assert_eq!((settings.temperature, settings.max_tokens), (0.0, 6));
        assert_eq!(settings.model_timeout, Duration::from_secs(30));
    }

    #[test]
    fn a_mistake_names_its_variable() {
        let cases: [(&str, &[&str]); 6] = [
            ("variants", &["", "a=0"]),
            ("assignment", &["", "sticky"]),
            ("model", &["", " "]),
            ("temperature", &["", "hot", "-1", "2.1", "NaN", "inf"]),
            ("max_tokens", &["", "many", "0", "-1", "6.5", "32769"]),
            ("model_timeout", &["", "30s", "0", "-1", "NaN", "1e9"]),
        ];
        for (name, texts) in cases {
            for text in texts {
                let error = with(name, text).unwrap_err();
                assert_eq!(error.variable(), name, "{text:?}");
                let problem = Problem::from(error);
                assert!(problem.detail().contains(&format!("--variable {name}=")), "{problem:?}");
            }
        }
    }

    #[test]
    fn numbers_may_be_fractions() {
        assert!((with("temperature", " 0.7").unwrap().temperature - 0.7).abs() < f32::EPSILON);
        assert_eq!(with("model_timeout", "0.25\n").unwrap().model_timeout, Duration::from_millis(250));
    }
}

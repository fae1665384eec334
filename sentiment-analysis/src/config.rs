//! The component's variables.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use api::Misconfigured;
use experiment::{Assignment, Experiment};
use spin_sdk::variables;

/// How the app is set up. The defaults stand in `spin.toml`.
#[derive(Debug, PartialEq)]
pub(crate) struct Config {
    /// `variants`: which labels take part, with which weights.
    pub(crate) experiment: Experiment,
    /// `assignment`: how a request gets its variant.
    pub(crate) assignment: Assignment,
    /// `model`: the model's name.
    pub(crate) model: String,
    /// `model_note`: what the page says of the model; may be empty.
    pub(crate) model_note: String,
    /// `temperature`: from 0, for the most probable answer, to 2.
    pub(crate) temperature: f32,
    /// `model_timeout`: how long to wait for an inference, from a millisecond to an hour; in the variable as seconds.
    pub(crate) model_timeout: Duration,
}

/// The names of the variables.
const NAMES: [&str; 6] = ["variants", "assignment", "model", "model_note", "temperature", "model_timeout"];

impl Config {
    /// Reads the variables.
    pub(crate) async fn load() -> Result<Self, Misconfigured> {
        let mut texts = NAMES.map(|_| String::new());
        for (text, name) in texts.iter_mut().zip(NAMES) {
            *text = variables::get(name).await.map_err(|error| Misconfigured::new(name, error))?;
        }
        Self::parse(texts.each_ref().map(String::as_str))
    }

    /// From the variables' texts, in the order of [`NAMES`].
    fn parse(texts: [&str; NAMES.len()]) -> Result<Self, Misconfigured> {
        let [variants, assignment, model, model_note, temperature, model_timeout] = texts.map(str::trim);
        if model.is_empty() {
            return Err(Misconfigured::new("model", "it is empty: name a model, such as `llama2-chat`"));
        }
        Ok(Self {
            experiment: parse("variants", variants)?,
            assignment: parse("assignment", assignment)?,
            model: model.to_owned(),
            model_note: model_note.to_owned(),
            temperature: number("temperature", temperature, 0.0..=2.0, "a number from 0 to 2")?,
            model_timeout: Duration::from_secs_f32(number(
                "model_timeout",
                model_timeout,
                0.001..=3600.0,
                "a number of seconds from 0.001 to 3600",
            )?),
        })
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(name: &'static str, text: &str) -> Result<T, Misconfigured> {
    text.parse().map_err(|error| Misconfigured::new(name, error))
}

/// Reads a number as JSON has it: the parser is there already, and knows neither infinity nor NaN.
fn number(
    name: &'static str,
    text: &str,
    range: RangeInclusive<f32>,
    expected: &str,
) -> Result<f32, Misconfigured> {
    let number = serde_json::from_str(text).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Misconfigured::new(name, format_args!("`{text}` is not {expected}")))
}

#[cfg(test)]
mod tests {
    use problem::Problem;

    use super::*;

    const DEFAULTS: [&str; NAMES.len()] =
        ["promptstore1,promptstore2", "random", "llama2-chat", "", "0", "30"];

    /// The defaults, but for one variable.
    fn with(name: &str, text: &'static str) -> Result<Config, Misconfigured> {
        let place = NAMES.iter().position(|other| *other == name).unwrap();
        let mut texts = DEFAULTS;
        texts[place] = text;
        Config::parse(texts)
    }

    #[test]
    fn the_defaults_of_the_manifest() {
        let config = Config::parse(DEFAULTS).unwrap();
        assert_eq!(config.experiment.variants().len(), 2);
        assert_eq!(config.assignment, Assignment::Random);
        assert_eq!((config.model.as_str(), config.model_note.as_str()), ("llama2-chat", ""));
        assert_eq!((config.temperature, config.model_timeout), (0.0, Duration::from_secs(30)));
    }

    #[test]
    fn a_mistake_names_its_variable() {
        let cases: [(&str, &[&str]); 5] = [
            ("variants", &["", "a=0"]),
            ("assignment", &["", "sticky"]),
            ("model", &["", " "]),
            ("temperature", &["", "hot", "-1", "2.1", "NaN", "inf"]),
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

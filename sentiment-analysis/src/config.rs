//! The component's variables.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use experiment::{Assignment, Experiment};
use spin_sdk::{http::StatusCode, variables};

use crate::answer::Problem;

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

impl Config {
    /// Reads the variables.
    pub(crate) async fn load() -> Result<Self, Misconfigured> {
        Self::parse(&Variables {
            variants: variable("variants").await?,
            assignment: variable("assignment").await?,
            model: variable("model").await?,
            model_note: variable("model_note").await?,
            temperature: variable("temperature").await?,
            model_timeout: variable("model_timeout").await?,
        })
    }

    fn parse(variables: &Variables) -> Result<Self, Misconfigured> {
        let model = variables.model.trim();
        if model.is_empty() {
            return Err(Misconfigured::new("model", "it is empty: name a model, such as `llama2-chat`"));
        }
        Ok(Self {
            experiment: parse("variants", &variables.variants)?,
            assignment: parse("assignment", &variables.assignment)?,
            model: model.to_owned(),
            model_note: variables.model_note.trim().to_owned(),
            temperature: number("temperature", &variables.temperature, 0.0..=2.0, "a number from 0 to 2")?,
            model_timeout: Duration::from_secs_f32(number(
                "model_timeout",
                &variables.model_timeout,
                0.001..=3600.0,
                "a number of seconds from 0.001 to 3600",
            )?),
        })
    }
}

/// The variables as they are written.
struct Variables {
    variants: String,
    assignment: String,
    model: String,
    model_note: String,
    temperature: String,
    model_timeout: String,
}

async fn variable(name: &'static str) -> Result<String, Misconfigured> {
    variables::get(name).await.map_err(|error| Misconfigured::new(name, error))
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

/// A variable whose value the app cannot work with.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Misconfigured {
    variable: &'static str,
    reason: String,
}

impl Misconfigured {
    fn new(variable: &'static str, reason: impl fmt::Display) -> Self {
        Self { variable, reason: reason.to_string() }
    }
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, reason } = self;
        let name = variable.to_ascii_uppercase();
        write!(
            f,
            "The variable `{variable}` cannot be used: {reason}. Set it in spin.toml, with `--variable {variable}=…` or \
                   with SPIN_VARIABLE_{name}, and restart."
        )
    }
}

impl From<Misconfigured> for Problem {
    fn from(error: Misconfigured) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let [variants, assignment, model, model_note, temperature, model_timeout] =
            ["promptstore1,promptstore2", "random", "llama2-chat", "", "0", "30"].map(str::to_owned);
        Variables { variants, assignment, model, model_note, temperature, model_timeout }
    }

    #[test]
    fn the_defaults_of_the_manifest() {
        let config = Config::parse(&variables()).unwrap();
        assert_eq!(config.experiment.variants().len(), 2);
        assert_eq!(config.assignment, Assignment::Random);
        assert_eq!((config.model.as_str(), config.model_note.as_str()), ("llama2-chat", ""));
        assert_eq!((config.temperature, config.model_timeout), (0.0, Duration::from_secs(30)));
    }

    #[test]
    fn a_mistake_names_its_variable() {
        type Change = fn(&mut Variables, String);
        let cases: [(Change, &str, &[&str]); 5] = [
            (|v, text| v.variants = text, "variants", &["", "a=0"]),
            (|v, text| v.assignment = text, "assignment", &["", "sticky"]),
            (|v, text| v.model = text, "model", &["", " "]),
            (|v, text| v.temperature = text, "temperature", &["", "hot", "-1", "2.1", "NaN", "inf"]),
            (|v, text| v.model_timeout = text, "model_timeout", &["", "30s", "0", "-1", "NaN", "1e9"]),
        ];
        for (change, name, texts) in cases {
            for text in texts {
                let mut variables = variables();
                change(&mut variables, (*text).to_owned());
                let error = Config::parse(&variables).unwrap_err();
                assert_eq!(error.variable, name, "{text:?}");
                let problem = Problem::from(error);
                assert!(problem.detail().contains(&format!("--variable {name}=")), "{problem:?}");
            }
        }
    }

    #[test]
    fn numbers_may_be_fractions() {
        let config = Config::parse(&Variables {
            temperature: " 0.7".to_owned(),
            model_timeout: "0.25".to_owned(),
            model: " llama3\n".to_owned(),
            ..variables()
        });
        let config = config.unwrap();
        assert_eq!((config.temperature, config.model_timeout), (0.7, Duration::from_millis(250)));
        assert_eq!(config.model, "llama3");
    }
}

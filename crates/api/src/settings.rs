//! The app's settings: component variables, whose defaults stand in `spin.toml`. The components read them with this code, and
//! whoever starts the app can check them with it first.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use experiment::{Assignment, Experiment, Variant, journal::limits::Limits};
use http::HeaderName;
use serde::de::DeserializeOwned;

use crate::Misconfigured;

/// The name of the offline model. Nothing else has it, so its answers are never taken for those of a real model.
pub const OFFLINE_MODEL: &str = "offline-model";

/// What people should know about it.
pub const OFFLINE_MODEL_NOTE: &str = "Answers come from the offline model: a deterministic stand-in that scores words with VADER, not a language model.";

/// The settings of the component that answers: `sentiment-analysis`.
#[derive(Debug, PartialEq)]
pub struct Answering {
    /// `variants`: which labels take part, with which weights.
    pub experiment: Experiment,
    /// `assignment`: how a request gets its variant.
    pub assignment: Assignment,
    /// `model`: the model's name.
    pub model: String,
    /// `model_note`: what the pages say about the model; may be empty. See [`model_note`].
    pub model_note: String,
    /// `address_header`: the header in which the operator's own proxy names the client; `None` without one.
    pub address_header: Option<HeaderName>,
}

impl Answering {
    /// The names of the variables.
    pub const VARIABLES: [&str; 5] = ["variants", "assignment", "model", "model_note", "address_header"];

    /// From the variables' values, in the order of [`VARIABLES`](Self::VARIABLES).
    pub fn parse(values: [&str; Self::VARIABLES.len()]) -> Result<Self, Misconfigured> {
        let [variants, assignment, name, model_note, address_header] = values;
        Ok(Self {
            experiment: experiment(variants)?,
            assignment: parse("assignment", assignment)?,
            model: model(name)?,
            model_note: self::model_note(model_note, name),
            address_header: self::address_header(address_header)?,
        })
    }
}

/// The settings of the component that asks the model and writes to the stores: `recorder`.
#[derive(Debug, PartialEq)]
pub struct Recording {
    /// `variants`: which labels take part; their weights do not matter here.
    pub experiment: Experiment,
    /// `model`: the model's name.
    pub model: String,
    /// `temperature`: from 0, for the most probable answer, to 2.
    pub temperature: f32,
    /// `max_tokens`: how many tokens a completion may have at most, from 1 to 32,768.
    pub max_tokens: u32,
    /// `model_timeout`: how long to wait for an inference, from a millisecond to an hour; the variable is in seconds.
    pub model_timeout: Duration,
    /// `model_concurrency`: how many questions the model answers at the same time; `None` for any number.
    pub model_concurrency: Option<u32>,
    /// `shadow`: the share of new sentences, from 0 to 1, that every variant answers: one answer is served.
    pub shadow: f32,
    /// `fresh_per_address` and `fresh_in_all`: how many new sentences there may be in an hour.
    pub limits: Limits,
    /// `address_header`: as for [`Answering`].
    pub address_header: Option<HeaderName>,
}

impl Recording {
    /// The names of the variables.
    pub const VARIABLES: [&str; 10] = [
        "variants",
        "model",
        "temperature",
        "max_tokens",
        "model_timeout",
        "model_concurrency",
        "shadow",
        "fresh_per_address",
        "fresh_in_all",
        "address_header",
    ];

    /// From the variables' values, in the order of [`VARIABLES`](Self::VARIABLES).
    pub fn parse(values: [&str; Self::VARIABLES.len()]) -> Result<Self, Misconfigured> {
        let [
            variants,
            name,
            temperature,
            max_tokens,
            model_timeout,
            model_concurrency,
            shadow,
            per_address,
            in_all,
            address_header,
        ] = values;
        Ok(Self {
            experiment: experiment(variants)?,
            model: model(name)?,
            temperature: self::temperature(temperature)?,
            max_tokens: self::max_tokens(max_tokens)?,
            model_timeout: self::model_timeout(model_timeout)?,
            model_concurrency: limit("model_concurrency", model_concurrency)?,
            shadow: number("shadow", shadow, 0.0..=1.0, "a number from 0 to 1")?,
            limits: Limits {
                per_address: limit("fresh_per_address", per_address)?,
                in_all: limit("fresh_in_all", in_all)?,
            },
            address_header: self::address_header(address_header)?,
        })
    }

    /// Whether there is anything to ask in the shadow: several variants, and some share of their sentences.
    pub fn asks_in_the_shadow(&self) -> bool {
        self.shadow > 0.0 && self.experiment.variants().len() > 1
    }
}

/// Checks that a component that may open the stores of these labels may open every variant's. It would not fail without one,
/// but answer that variant's share of the requests with the default prompt.
pub fn check_labels(experiment: &Experiment, granted: &[String]) -> Result<(), Misconfigured> {
    let variants = experiment.variants().iter();
    match variants.map(Variant::label).find(|label| !granted.iter().any(|granted| granted == label)) {
        Some(label) => Err(Misconfigured::new(
            "variants",
            format_args!(
                "`{label}` is not one of the app's labels, {}; a new label must be added to `key_value_stores` in spin.toml",
                granted.join(", ")
            ),
        )),
        None => Ok(()),
    }
}

/// The experiment in the value of the variable `variants`.
pub fn experiment(variants: &str) -> Result<Experiment, Misconfigured> {
    parse("variants", variants)
}

/// The name in the value of the variable `model`.
pub fn model(name: &str) -> Result<String, Misconfigured> {
    match name.trim() {
        "" => Err(Misconfigured::new("model", "it is empty; name a model, such as `llama3.2`")),
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

/// A number that is a limit; `None`, for no limit, where it is 0 or empty.
fn limit(name: &'static str, value: &str) -> Result<Option<u32>, Misconfigured> {
    if value.trim().is_empty() {
        return Ok(None);
    }
    let expected = "a whole number from 1 to 1000000000, or 0 for no limit";
    number(name, value, 0..=1_000_000_000, expected).map(|limit| (limit > 0).then_some(limit))
}

/// The name in the value of the variable `address_header`.
fn address_header(value: &str) -> Result<Option<HeaderName>, Misconfigured> {
    match value.trim() {
        "" => Ok(None),
        name => name.parse().map(Some).map_err(|_| {
            let reason = format_args!("`{name}` is not the name of a header, such as `x-forwarded-for`");
            Misconfigured::new("address_header", reason)
        }),
    }
}

/// What the pages say about a model: the variable `model_note`, or what the offline model is.
pub fn model_note(note: &str, model: &str) -> String {
    match note.trim() {
        "" if model.trim() == OFFLINE_MODEL => OFFLINE_MODEL_NOTE.to_owned(),
        note => note.to_owned(),
    }
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

    /// The defaults of the manifest, except for some variables.
    struct Variables<'v>(&'v [(&'v str, &'v str)]);

    impl Variables<'_> {
        fn value(&self, name: &str) -> &str {
            const DEFAULTS: [(&str, &str); 12] = [
                ("variants", "promptstore1,promptstore2"),
                ("assignment", "random"),
                ("model", "offline-model"),
                ("model_note", ""),
                ("temperature", "0"),
                ("max_tokens", "6"),
                ("model_timeout", "30"),
                ("model_concurrency", "1"),
                ("shadow", "0.1"),
                ("fresh_per_address", "100"),
                ("fresh_in_all", "1000"),
                ("address_header", ""),
            ];
            let mut all = self.0.iter().chain(&DEFAULTS);
            all.find(|(other, _)| *other == name).unwrap().1
        }

        fn answering(&self) -> Result<Answering, Misconfigured> {
            Answering::parse(Answering::VARIABLES.map(|name| self.value(name)))
        }

        fn recording(&self) -> Result<Recording, Misconfigured> {
            Recording::parse(Recording::VARIABLES.map(|name| self.value(name)))
        }
    }

    #[test]
    fn the_defaults_of_the_manifest() {
        let settings = Variables(&[]).answering().unwrap();
        assert_eq!(settings.experiment.variants().len(), 2);
        assert_eq!(settings.assignment, Assignment::Random);
        assert_eq!((&*settings.model, &*settings.model_note), (OFFLINE_MODEL, OFFLINE_MODEL_NOTE));
        assert_eq!(settings.address_header, None);

        let settings = Variables(&[]).recording().unwrap();
        assert_eq!((settings.experiment.variants().len(), &*settings.model), (2, OFFLINE_MODEL));
        assert_eq!((settings.temperature, settings.max_tokens), (0.0, 6));
        assert_eq!((settings.model_timeout, settings.shadow), (Duration::from_secs(30), 0.1));
        assert_eq!(settings.model_concurrency, Some(1));
        assert_eq!(settings.limits, Limits { per_address: Some(100), in_all: Some(1_000) });
        assert_eq!(settings.address_header, None);
    }

    #[test]
    fn a_mistake_names_its_variable() {
        let cases: [(&str, &[&str]); 11] = [
            ("variants", &["", "a=0"]),
            ("assignment", &["", "sticky"]),
            ("model", &["", " "]),
            ("temperature", &["", "hot", "-1", "2.1", "NaN", "inf"]),
            ("max_tokens", &["", "many", "0", "-1", "6.5", "32769"]),
            ("model_timeout", &["", "30s", "0", "-1", "NaN", "1e9"]),
            ("model_concurrency", &["few", "-1", "1.5"]),
            ("shadow", &["", "all", "-0.1", "1.1", "10%"]),
            ("fresh_per_address", &["none", "-1", "1.5", "1000000001"]),
            ("fresh_in_all", &["1e3", "1,000"]),
            ("address_header", &["x forwarded", "x-forwarded-for:", "é"]),
        ];
        for (name, texts) in cases {
            for text in texts {
                let variables = [(name, *text)];
                let variables = Variables(&variables);
                let of_answering = Answering::VARIABLES.contains(&name).then(|| variables.answering().err());
                let of_recording = Recording::VARIABLES.contains(&name).then(|| variables.recording().err());
                let errors: Vec<_> = of_answering.into_iter().chain(of_recording).collect();
                assert!(!errors.is_empty(), "nobody reads `{name}`");
                for error in errors {
                    let error = error.unwrap_or_else(|| panic!("{name}={text:?}"));
                    assert_eq!(error.variable(), name, "{text:?}");
                    let problem = Problem::from(error);
                    assert!(problem.detail().contains(&format!("--variable {name}=")), "{problem:?}");
                }
            }
        }
    }

    #[test]
    fn every_variant_is_a_label_that_the_component_may_open() {
        let experiment = Variables(&[]).answering().unwrap().experiment;
        let labels = ["promptstore2", "other", "promptstore1"].map(str::to_owned);
        assert_eq!(check_labels(&experiment, &labels), Ok(()));
        let error = check_labels(&experiment, &labels[..2]).unwrap_err();
        assert_eq!(error.variable(), "variants");
        assert!(
            error.reason().starts_with("`promptstore1` is not one of the app's labels, promptstore2, other;")
        );
    }

    #[test]
    fn the_offline_model_is_what_it_is_unless_a_note_says_more() {
        let note =
            |note, name| Variables(&[("model_note", note), ("model", name)]).answering().unwrap().model_note;
        assert_eq!(note(" ", "offline-model "), OFFLINE_MODEL_NOTE);
        assert_eq!(note(" A note. ", "offline-model"), "A note.");
        assert_eq!(note("", "llama2-chat"), "");
    }

    #[test]
    fn no_limit_is_nothing_or_0() {
        for text in ["", " ", "0"] {
            let variables =
                [("fresh_in_all", text), ("fresh_per_address", text), ("model_concurrency", text)];
            let settings = Variables(&variables).recording().unwrap();
            assert!(settings.limits.are_none() && settings.model_concurrency.is_none());
            let settings = Variables(&variables[1..]).recording().unwrap();
            assert_eq!(settings.limits, Limits { per_address: None, in_all: Some(1_000) });
        }
        let settings = Variables(&[("address_header", " X-Real-IP ")]).answering().unwrap();
        assert_eq!(settings.address_header.unwrap(), "x-real-ip");
    }

    #[test]
    fn numbers_may_be_fractions() {
        let settings =
            Variables(&[("temperature", " 0.7"), ("model_timeout", "0.25\n")]).recording().unwrap();
        assert!((settings.temperature - 0.7).abs() < f32::EPSILON);
        assert_eq!(settings.model_timeout, Duration::from_millis(250));
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["promptstore1=90,promptstore2=10", "random", "0.7", "llama2-chat"], |value| {
            for name in Answering::VARIABLES {
                let _ = Variables(&[(name, value)]).answering();
            }
            for name in Recording::VARIABLES {
                let _ = Variables(&[(name, value)]).recording();
            }
        });
    }
}

//! The component's variables.

use std::{fmt, str::FromStr};

use api::Misconfigured;
use experiment::Experiment;
use spin_sdk::variables;

/// What is looked at: the same variables as those of the component that makes the observations.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `variants`: which labels take part, with which weights.
    pub(crate) experiment: Experiment,
    /// `model`: the model's name. Observations of another one do not count.
    pub(crate) model: String,
    /// `model_note`: what people should know about the model; may be empty.
    pub(crate) model_note: String,
}

impl Settings {
    /// Reads the variables.
    pub(crate) async fn read() -> Result<Self, Misconfigured> {
        Ok(Self {
            experiment: variable("variants").await?,
            model: variable("model").await?,
            model_note: variable("model_note").await?,
        })
    }
}

async fn variable<T: FromStr<Err: fmt::Display>>(name: &'static str) -> Result<T, Misconfigured> {
    let text = variables::get(name).await.map_err(|error| Misconfigured::new(name, error))?;
    text.trim().parse().map_err(|error| Misconfigured::new(name, error))
}

//! A variable whose value the app cannot work with.

use std::fmt;

use problem::Problem;

/// Which variable it is, and why its value cannot be used. As text it says how to set it, too.
#[derive(Debug, Eq, PartialEq)]
pub struct Misconfigured {
    variable: &'static str,
    reason: String,
}

impl Misconfigured {
    /// The variable of this name cannot be used, for this reason.
    pub fn new(variable: &'static str, reason: impl fmt::Display) -> Self {
        Self { variable, reason: reason.to_string() }
    }

    /// The variable's name.
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// Why its value cannot be used: no sentence, but the end of one.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The ways to set it: no sentence either.
    pub fn remedy(&self) -> String {
        let Self { variable, .. } = self;
        let name = variable.to_ascii_uppercase();
        format!("set it in spin.toml, with `--variable {variable}=…` or with SPIN_VARIABLE_{name}")
    }
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, reason } = self;
        let remedy = self.remedy().replacen('s', "S", 1);
        write!(f, "The variable `{variable}` cannot be used: {reason}. {remedy}, and restart.")
    }
}

impl From<Misconfigured> for Problem {
    fn from(error: Misconfigured) -> Self {
        Self::internal(error.to_string())
    }
}

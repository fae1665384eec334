//! What can come out of reading a completion.

use std::{borrow::Cow, error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The outcome of one inference, and the label a person gives to a sentence.
///
/// In JSON and as text it is its lower-case name; parsing ignores ASCII case.
///
/// ```
/// use sentiment::Outcome;
///
/// assert_eq!("Positive".parse(), Ok(Outcome::Positive));
/// assert_eq!(Outcome::Unsure.to_string(), "unsure");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The sentence speaks well of something.
    Positive,
    /// The sentence takes no side.
    Neutral,
    /// The sentence speaks badly of something.
    Negative,
    /// The model named none of the other three, or said that it could not tell.
    Unsure,
}

impl Outcome {
    /// Every outcome, in the order in which tables and charts show them.
    pub const ALL: [Self; 4] = [Self::Positive, Self::Neutral, Self::Negative, Self::Unsure];

    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Neutral => "neutral",
            Self::Negative => "negative",
            Self::Unsure => "unsure",
        }
    }
}

/// Reads what a person says would be right, or null: any outcome but `unsure`. For `#[serde(deserialize_with = "…")]`, so that the
/// field has to be there.
///
/// # Errors
///
/// It is something else. The message quotes at most 40 characters of it.
pub fn expected<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Outcome>, D::Error> {
    let Some(name) = Option::<Cow<str>>::deserialize(deserializer)? else { return Ok(None) };
    match name.parse() {
        Ok(Outcome::Unsure) | Err(_) => {
            Err(D::Error::custom(format_args!("`{name:.40}` is not a valid label")))
        }
        label => Ok(label.ok()),
    }
}

#[cfg(feature = "experiment")]
impl Outcome {
    /// The outcomes as an analysis has them: the labels that a person may give to a sentence, in their order, and the outcome
    /// that is none of them.
    pub fn in_analysis() -> experiment::analysis::Outcomes {
        let labels = Self::ALL.into_iter().filter(|outcome| *outcome != Self::Unsure);
        experiment::analysis::Outcomes::new(labels.map(Self::as_str), Self::Unsure.as_str())
    }
}

#[cfg(feature = "experiment")]
impl experiment::Answer for Outcome {
    const FIELD: &'static str = "sentiment";

    /// All but [`Outcome::Unsure`], which is recorded, but never served from a store: the model is asked again.
    fn is_conclusive(&self) -> bool {
        *self != Self::Unsure
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|outcome| text.eq_ignore_ascii_case(outcome.as_str()))
            .ok_or(UnknownOutcome)
    }
}

/// The text is not the name of an outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownOutcome;

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an outcome: expected positive, neutral, negative or unsure")
    }
}

impl error::Error for UnknownOutcome {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.to_string().parse(), Ok(outcome));
            assert_eq!(outcome.as_str().to_uppercase().parse(), Ok(outcome));
        }
        for text in ["", " positive", "positive ", "pos", "nonnegative", "pösitive"] {
            assert_eq!(text.parse::<Outcome>(), Err(UnknownOutcome), "{text:?}");
        }
    }

    #[cfg(feature = "experiment")]
    #[test]
    fn a_record_of_an_outcome() {
        use experiment::{Fingerprint, Key, Record};

        let prompt = Fingerprint::of(crate::DEFAULT_PROMPT);
        for outcome in Outcome::ALL {
            let record = Record::new(&Key::for_sentence("a"), outcome, prompt, "llama2-chat");
            assert_eq!(record.answers(prompt, "llama2-chat"), outcome != Outcome::Unsure);
            let json: serde_json::Value = serde_json::from_slice(&record.to_json().unwrap()).unwrap();
            assert_eq!(json["sentiment"], outcome.as_str());
        }
    }
}

//! From a request's body to what a person says of an answer.

use experiment::{Experiment, Variant};
use problem::Problem;
use sentiment::{Outcome, Sentence};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json::Expected;

const EXPECTED: Expected = Expected(
    "send {\"sentence\": \"…\", \"variant\": \"…\", \"expected\": \"positive\", \"neutral\" or \"negative\", or null to take \
     it back}",
);

/// A correction: which answer it is of, and what would have been right.
#[derive(Debug, PartialEq)]
pub(crate) struct Correction {
    sentence: String,
    variant: String,
    /// `None` takes an earlier correction back.
    pub(crate) expected: Option<Outcome>,
}

/// What a body holds, of whatever type.
#[derive(Deserialize)]
struct Fields<'b> {
    #[serde(borrow)]
    sentence: Option<&'b RawValue>,
    #[serde(borrow)]
    variant: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    expected: Option<&'b RawValue>,
}

/// A value that is there, even if it is null.
fn present<'b, D: Deserializer<'b>>(deserializer: D) -> Result<Option<&'b RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Correction {
    /// Reads a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let fields =
            EXPECTED.read(body, |_| format!("The body has a field more than once: {}.", EXPECTED.0))?;
        Self::of(&fields).map_err(Problem::bad_request)
    }

    fn of(fields: &Fields<'_>) -> Result<Self, String> {
        let string = |name, value: Option<&RawValue>| {
            EXPECTED.string(name, value.ok_or_else(|| EXPECTED.missing(name))?.get())
        };
        let expected = match fields.expected {
            Some(value) if value.get() == "null" => None,
            value => {
                let name = string("expected", value)?;
                let label = name.parse().ok().filter(|outcome| *outcome != Outcome::Unsure);
                Some(label.ok_or_else(|| {
                    format!("`{}` is nothing that a sentence can be: {}.", shortened(&name), EXPECTED.0)
                })?)
            }
        };
        Ok(Self {
            sentence: string("sentence", fields.sentence)?,
            variant: string("variant", fields.variant)?,
            expected,
        })
    }

    /// The sentence, if it is one that can have an answer.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        Sentence::new(&self.sentence).map_err(|error| Problem::bad_request(error.to_string()))
    }

    /// The variant, if it takes part in the experiment.
    pub(crate) fn variant<'e>(&self, experiment: &'e Experiment) -> Result<&'e Variant, Problem> {
        let variants = experiment.variants();
        variants.iter().find(|variant| variant.label() == self.variant).ok_or_else(|| {
            let labels: Vec<_> = variants.iter().map(|variant| format!("`{}`", variant.label())).collect();
            Problem::bad_request(format!(
                "`{}` is no variant of the experiment: take one of {}.",
                shortened(&self.variant),
                labels.join(", ")
            ))
        })
    }
}

/// A text as a message quotes it.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn experiment() -> Experiment {
        "promptstore1,promptstore2=3".parse().unwrap()
    }

    #[test]
    fn corrections() {
        let cases = [
            (r#""negative""#, Some(Outcome::Negative)),
            (r#" "Neutral" "#, Some(Outcome::Neutral)),
            ("null", None),
        ];
        for (expected, outcome) in cases {
            let body = format!(
                r#"{{"sentence": " caf\u00e9 ", "variant": "promptstore2", "expected": {expected}, "more": [1]}}"#
            );
            let correction = Correction::parse(body.as_bytes()).unwrap();
            assert_eq!(correction.sentence().unwrap().as_str(), "café");
            assert_eq!(correction.variant(&experiment()).unwrap().weight(), 3);
            assert_eq!(correction.expected, outcome);
        }
    }

    #[test]
    fn each_mistake_has_its_own_detail() {
        let long = format!(r#"{{"sentence": "a", "variant": "{}", "expected": null}}"#, "é".repeat(99));
        let cases = [
            ("", "is empty"),
            ("hello", "is not JSON"),
            ("[]", "is a list"),
            ("{}", "no `expected`"),
            (r#"{"expected": null}"#, "no `sentence`"),
            (r#"{"sentence": "a", "expected": null}"#, "no `variant`"),
            (r#"{"sentence": "a", "variant": "promptstore1"}"#, "no `expected`"),
            (r#"{"sentence": null, "variant": "promptstore1", "expected": null}"#, "no `sentence`"),
            (r#"{"sentence": 1, "variant": "promptstore1", "expected": null}"#, "`sentence` is a number"),
            (r#"{"sentence": "a", "variant": {}, "expected": null}"#, "`variant` is an object"),
            (r#"{"sentence": "a", "variant": "promptstore1", "expected": false}"#, "`expected` is a boolean"),
            (r#"{"sentence": "a", "variant": "promptstore1", "expected": "unsure"}"#, "`unsure` is nothing"),
            (r#"{"sentence": "a", "variant": "promptstore1", "expected": "good"}"#, "`good` is nothing"),
            (r#"{"sentence": "a", "sentence": "b"}"#, "more than once"),
            (r#"{"sentence": "\ud83c", "variant": "promptstore1", "expected": null}"#, "surrogate pair"),
            (
                r#"{"sentence": " ", "variant": "promptstore1", "expected": null}"#,
                "The sentence is empty. Write",
            ),
            (r#"{"sentence": "a", "variant": "prompt", "expected": null}"#, "`promptstore1`, `promptstore2`"),
            (&*long, "ééé` is no variant"),
        ];
        let mut details = HashSet::new();
        for (body, part) in cases {
            let read = Correction::parse(body.as_bytes()).and_then(|correction| {
                correction.sentence()?;
                correction.variant(&experiment()).map(drop)
            });
            let problem = read.unwrap_err();
            assert_eq!(problem.status(), 400, "{body}");
            assert!(problem.detail().contains(part), "{part:?} not in {:?}", problem.detail());
            assert!(problem.detail().len() < 300, "{:?}", problem.detail());
            details.insert(problem.detail().to_owned());
        }
        assert!(details.len() >= 16, "{details:#?}");
    }
}

//! From the body of a request to what a person says about an answer.

use std::borrow::Cow;

use api::json;
use experiment::{Experiment, Variant};
use problem::Problem;
use sentiment::{Outcome, Sentence};
use serde::Deserialize;

/// A correction: which answer it is about, and what would have been right.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(expecting = "an object")]
pub(crate) struct Correction<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
    #[serde(borrow)]
    variant: Cow<'b, str>,
    /// `None` takes an earlier correction back. It has to be said, as null.
    #[serde(deserialize_with = "sentiment::expected")]
    pub(crate) expected: Option<Outcome>,
}

impl<'b> Correction<'b> {
    /// Reads a body.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        json::read(
            body,
            r#"{"sentence": "…", "variant": "…", "expected": "positive"}, or "neutral", or "negative", or null to take it back"#,
        )
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
                "`{:.40}` is not a variant of the experiment; use {}.",
                self.variant,
                labels.join(" or ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
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
    fn mistakes() {
        let long = "é".repeat(99);
        let cases = [
            (r#"{"sentence": "a", "expected": null}"#, "missing field `variant`"),
            (r#"{"sentence": "a", "variant": "promptstore1"}"#, "missing field `expected`"),
            (r#"{"sentence": null, "variant": "promptstore1", "expected": null}"#, "invalid type: null"),
            (r#"{"sentence": "a", "variant": "promptstore1", "expected": false}"#, "invalid type: boolean"),
            (
                r#"{"sentence": "a", "variant": "promptstore1", "expected": "unsure"}"#,
                "`unsure` is not a valid label",
            ),
            (
                r#"{"sentence": "a", "variant": "promptstore1", "expected": "good"}"#,
                "`good` is not a valid label",
            ),
            (&format!(r#"{{"expected": "{long}"}}"#), "ééé` is not a valid label"),
            (r#"{"sentence": " ", "variant": "promptstore1", "expected": null}"#, "The sentence is empty"),
            (
                r#"{"sentence": "a", "variant": "prompt", "expected": null}"#,
                "`prompt` is not a variant of the experiment; use `promptstore1` or `promptstore2`.",
            ),
            (
                &format!(r#"{{"sentence": "a", "variant": "{long}", "expected": null}}"#),
                "ééé` is not a variant",
            ),
        ];
        for (body, part) in cases {
            let read = Correction::parse(body.as_bytes()).and_then(|correction| {
                correction.sentence()?;
                correction.variant(&experiment()).map(drop)
            });
            let problem = read.unwrap_err();
            assert_eq!(problem.status(), 400, "{body}");
            assert!(problem.detail().contains(part), "{part:?} not in {:?}", problem.detail());
            assert!(problem.detail().len() < 300, "{:?}", problem.detail());
        }
    }

    #[test]
    fn fuzz() {
        let seeds = [
            r#"{"sentence": "a", "variant": "promptstore1", "expected": "negative"}"#,
            r#""expected": null"#,
        ];
        fuzz::bytes(&seeds, |body| {
            if let Ok(correction) = Correction::parse(body) {
                let _ = (correction.sentence(), correction.variant(&experiment()));
            }
        });
    }
}

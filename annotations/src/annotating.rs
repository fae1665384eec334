//! From a request to an annotation.

use std::borrow::Cow;

use api::json;
use problem::Problem;
use sentiment::{Outcome, Sentence};
use serde::Deserialize;

/// How many sentences are sent unless a request says otherwise, and at most.
const WANTED: usize = 10;
const MOST: usize = 100;

/// What would be right for a sentence.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct Annotated<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
    /// `None` if the person cannot tell. It has to be said, as null.
    #[serde(deserialize_with = "sentiment::expected")]
    pub(crate) expected: Option<Outcome>,
}

/// A sentence whose annotation is taken back.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct Retracted<'b> {
    #[serde(borrow)]
    sentence: Cow<'b, str>,
}

impl<'b> Annotated<'b> {
    /// Reads a body.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        json::read(
            body,
            r#"{"sentence": "…", "expected": "positive"}, or "neutral", or "negative", or null if you cannot tell"#,
        )
    }

    /// The sentence, if it is one that can have an answer.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        sentence(&self.sentence)
    }
}

impl<'b> Retracted<'b> {
    /// Reads a body.
    pub(crate) fn parse(body: &'b [u8]) -> Result<Self, Problem> {
        json::read(body, r#"{"sentence": "…"}"#)
    }

    /// The sentence, if it is one that can have an answer.
    pub(crate) fn sentence(&self) -> Result<Sentence<'_>, Problem> {
        sentence(&self.sentence)
    }
}

fn sentence(text: &str) -> Result<Sentence<'_>, Problem> {
    Sentence::new(text).map_err(|error| Problem::bad_request(error.to_string()))
}

/// How many sentences a query asks for: `n=10`.
pub(crate) fn wanted(query: Option<&str>) -> Result<usize, Problem> {
    let mut parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let Some((_, value)) = parameters.find(|(name, _)| name == "n") else { return Ok(WANTED) };
    let number = value.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| Problem::bad_request(format!("`n={value:.20}` is not a number from 1 to {MOST}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations() {
        let annotated = Annotated::parse(br#"{"sentence": " Rain ", "expected": "Negative"}"#).unwrap();
        assert_eq!(
            (annotated.sentence().unwrap().as_str(), annotated.expected),
            ("Rain", Some(Outcome::Negative))
        );
        assert_eq!(Annotated::parse(br#"{"sentence": "a", "expected": null}"#).unwrap().expected, None);
        for body in
            [r#"{"sentence": "a"}"#, r#"{"expected": null}"#, r#"{"sentence": "a", "expected": "unsure"}"#]
        {
            assert_eq!(Annotated::parse(body.as_bytes()).unwrap_err().status(), 400, "{body}");
        }
        assert_eq!(Retracted::parse(br#"{"sentence": " "}"#).unwrap().sentence().unwrap_err().status(), 400);
    }

    #[test]
    fn how_many() {
        for (query, number) in
            [(None, 10), (Some(""), 10), (Some("m=3"), 10), (Some("m=3&n=7"), 7), (Some("n=100"), 100)]
        {
            assert_eq!(wanted(query).unwrap(), number, "{query:?}");
        }
        for query in ["n=", "n=0", "n=101", "n=-1", "n=ten", "n=1e2"] {
            assert_eq!(wanted(Some(query)).unwrap_err().status(), 400, "{query}");
        }
    }

    #[test]
    fn fuzz() {
        let seeds =
            [r#"{"sentence": "a", "expected": "Negative"}"#, r#"{"sentence": "\u00e9", "expected": null}"#];
        fuzz::bytes(&seeds, |body| {
            let _ = Annotated::parse(body).and_then(|annotated| annotated.sentence().map(drop));
            let _ = Retracted::parse(body).and_then(|retracted| retracted.sentence().map(drop));
        });
        fuzz::text(&["n=10", "m=3&n=7"], |query| {
            assert!(
                wanted(Some(query)).is_ok_and(|wanted| (1..=MOST).contains(&wanted))
                    || wanted(Some(query)).is_err()
            );
        });
    }
}

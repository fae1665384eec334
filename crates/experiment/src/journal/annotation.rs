//! What people say about a sentence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Draw;

/// What people who signed in say would be right for a sentence, once for all variants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The sentence, and what each prompt made of it when it was drawn; nothing where it was not.
    #[serde(flatten)]
    pub draw: Draw,
    /// What each person said, by the name with which they sign in.
    pub given: BTreeMap<String, Given>,
}

/// What one person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The right outcome; `None` if they cannot tell.
    pub expected: Option<String>,
    /// When: RFC 3339 in UTC with milliseconds.
    pub at: String,
}

/// What all of them together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// That this is right.
    Right(&'a str),
    /// That they cannot tell.
    CannotTell,
    /// That different outcomes are: the sentence is left out until one of them changes it.
    Disputed,
}

impl Annotation {
    /// What a store holds, with what a person says now instead of what they said before. `draw` is the sentence where nobody said
    /// anything yet.
    #[must_use]
    pub fn with(current: Option<&[u8]>, draw: &Draw, who: &str, given: Given) -> Self {
        let known = current.and_then(Self::from_json);
        let mut annotation = known.unwrap_or_else(|| Self { draw: draw.clone(), given: BTreeMap::new() });
        annotation.given.insert(who.to_owned(), given);
        annotation
    }

    /// What a store holds without what a person said, which may leave nobody; `None` if they said nothing.
    pub fn without(current: Option<&[u8]>, who: &str) -> Option<Self> {
        let mut annotation = current.and_then(Self::from_json)?;
        annotation.given.remove(who).map(|_| annotation)
    }

    /// What people say. One who cannot tell contradicts nobody.
    pub fn said(&self) -> Said<'_> {
        let mut labels = self.given.values().filter_map(|given| given.expected.as_deref());
        match labels.next() {
            None => Said::CannotTell,
            Some(first) if labels.all(|label| label == first) => Said::Right(first),
            Some(_) => Said::Disputed,
        }
    }

    /// The annotation that a store holds; `None` for any other value.
    pub fn from_json(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_say_together() {
        let said = |given: &[(&str, Option<&str>)]| {
            let given = given.iter().map(|(who, expected)| {
                ((*who).to_owned(), Given { expected: expected.map(str::to_owned), at: String::new() })
            });
            let annotation = Annotation { draw: Draw::new("Rain again"), given: given.collect() };
            format!("{:?}", annotation.said())
        };
        let (good, bad) = (Some("positive"), Some("negative"));
        assert_eq!(said(&[("ada", None)]), "CannotTell");
        assert_eq!(said(&[("ada", good), ("bob", None)]), "Right(\"positive\")");
        assert_eq!(said(&[("ada", good), ("bob", good)]), "Right(\"positive\")");
        assert_eq!(said(&[("ada", good), ("bob", bad)]), "Disputed");
    }

    #[test]
    fn a_person_changes_and_takes_back_what_they_said() {
        let draw = Draw::new("Rain again");
        let given = |expected: &str| Given { expected: Some(expected.to_owned()), at: String::new() };
        let stored = |annotation: &Annotation| serde_json::to_vec(annotation).unwrap();
        let first = stored(&Annotation::with(Some(b"no annotation"), &draw, "ada", given("positive")));
        let second = stored(&Annotation::with(Some(&first), &Draw::new("ignored"), "bob", given("negative")));
        assert_eq!(Annotation::from_json(&second).unwrap().said(), Said::Disputed);
        let settled = Annotation::with(Some(&second), &draw, "ada", given("negative"));
        assert_eq!((settled.said(), &settled.draw, settled.given.len()), (Said::Right("negative"), &draw, 2));
        assert_eq!(Annotation::without(Some(&second), "ada").unwrap().said(), Said::Right("negative"));
        assert!(Annotation::without(Some(&first), "ada").unwrap().given.is_empty());
        assert_eq!(Annotation::without(Some(&first), "bob"), None);
        assert_eq!(Annotation::without(None, "ada"), None);
    }

    #[test]
    fn json_is_flat() {
        let mut annotation = Annotation { draw: Draw::new("Rain again"), ..Annotation::default() };
        annotation.draw.add(crate::Fingerprint::of("abc"), "negative");
        let at = "2026-07-31T12:34:56.007Z".to_owned();
        annotation.given.insert("ada".to_owned(), Given { expected: Some("negative".to_owned()), at });
        let json = serde_json::to_string(&annotation).unwrap();
        assert_eq!(
            json,
            r#"{"sentence":"Rain again","answers":{"ba7816bf8f01":"negative"},"given":{"ada":{"expected":"negative","at":"2026-07-31T12:34:56.007Z"}}}"#
        );
        assert_eq!(Annotation::from_json(json.as_bytes()), Some(annotation));
    }

    #[test]
    fn fuzz() {
        let draw = r#"{"sentence":"Rain again","answers":{"ba7816bf8f01":"negative"}}"#;
        let annotation = r#"{"sentence":"Rain","answers":{"ba7816bf8f01":"negative"},"given":{"ada":{"expected":null,"at":""}}}"#;
        let sources = r#"[{"label":"promptstore1","prompt":"ba7816bf8f01","model":"m"}]"#;
        fuzz::bytes(&[draw, annotation, sources, "12"], |value| {
            if let Some(annotation) = Annotation::from_json(value) {
                let _ = annotation.said();
            }
            let _ = Draw::from_json(value).map(|draw| draw.stratum());
            let _ = crate::tally::Source::list(value);
            let _ = crate::counter::read(value);
        });
    }
}

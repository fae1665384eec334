//! What goes to standard output: a JSON line for each vote, and one for each shadow answer. A sentence is never logged.

use std::time::Duration;

use api::log::event;
use http::StatusCode;
use sentiment::Outcome;
use serde::Serialize;

/// A vote.
#[derive(Serialize)]
pub(crate) struct Vote<'l> {
    event: &'static str,
    status: u16,
    /// The label of the variant that answered; none where the vote was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'l str>,
    /// What it had answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// What the visitor said would have been right; null where they took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "to take it back is something else than to say nothing")]
    expected: Option<Option<Outcome>>,
    /// In microseconds; no more than fits is 71 minutes.
    elapsed_us: u32,
}

impl<'l> Vote<'l> {
    /// A vote that was recorded.
    pub(crate) const fn cast(variant: &'l str, outcome: Outcome, expected: Option<Outcome>) -> Self {
        Self {
            variant: Some(variant),
            outcome: Some(outcome),
            expected: Some(expected),
            ..Self::refused(StatusCode::OK)
        }
    }

    /// A vote that was not.
    pub(crate) const fn refused(status: StatusCode) -> Self {
        Self {
            event: "feedback",
            status: status.as_u16(),
            variant: None,
            outcome: None,
            expected: None,
            elapsed_us: 0,
        }
    }

    /// Writes the line.
    pub(crate) fn write(mut self, elapsed: Duration) {
        self.elapsed_us = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        event(&self);
    }
}

/// What a variant that was not served said to a sentence: an observation, but no assignment.
#[derive(Serialize)]
struct Shadow<'l> {
    event: &'static str,
    variant: &'l str,
    outcome: Outcome,
}

/// Says what a variant answered in the shadow of another.
pub(crate) fn shadow(variant: &str, outcome: Outcome) {
    event(&Shadow { event: "shadow", variant, outcome });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes() {
        let json = |vote: Vote| serde_json::to_string(&vote).unwrap();
        assert_eq!(
            json(Vote::cast("promptstore1", Outcome::Positive, Some(Outcome::Neutral))),
            r#"{"event":"feedback","status":200,"variant":"promptstore1","outcome":"positive","expected":"neutral","elapsed_us":0}"#
        );
        assert_eq!(
            json(Vote::cast("promptstore1", Outcome::Unsure, None)),
            r#"{"event":"feedback","status":200,"variant":"promptstore1","outcome":"unsure","expected":null,"elapsed_us":0}"#
        );
        assert_eq!(
            json(Vote::refused(StatusCode::NOT_FOUND)),
            r#"{"event":"feedback","status":404,"elapsed_us":0}"#
        );
    }
}

//! The request log: how often each variant was assigned.
//!
//! The app writes a JSON object a line, `{"event":"sentiment","variant":"promptstore1",…}`, for each request; what a
//! runtime puts before it (`sentiment-analysis | `) and lines of other kinds are skipped. A request that failed after it
//! was assigned counts: the check is of the assignment. A line `{"event":"experiment","variants":"a=90,b=10"}` says
//! which weights are in force from there on, and begins a phase where they differ from those before. Where it also says
//! `"assignment":"visitor"`, requests are not what was assigned: all those of one visitor go to one variant, and how many visitors
//! there were no log tells.

use std::borrow::Cow;
use std::io::BufRead;

use anyhow::Context as _;
use experiment::Experiment;
use experiment::analysis::Phase;
use serde::Deserialize;

/// What a log says.
#[derive(Debug)]
pub(super) struct Assignments {
    /// In order; those without an assignment are left out.
    pub(super) phases: Vec<Phase>,
    /// Assignments to labels that are no longer in the experiment.
    pub(super) elsewhere: u64,
    /// Requests that went where their visitor had been assigned. They are in no phase.
    pub(super) by_visitor: u64,
}

#[derive(Deserialize)]
struct Event<'l> {
    #[serde(borrow, rename = "event")]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    variant: Option<Cow<'l, str>>,
    #[serde(borrow)]
    variants: Option<Cow<'l, str>>,
    #[serde(borrow)]
    assignment: Option<Cow<'l, str>>,
}

/// Counts the assignments of `experiment`, whose weights are taken to be in force where the log does not say.
///
/// # Errors
///
/// The log cannot be read.
pub(super) fn read(mut log: impl BufRead, experiment: &Experiment) -> anyhow::Result<Assignments> {
    let variants = experiment.variants();
    let mut assignments = Assignments { phases: Vec::new(), elsewhere: 0, by_visitor: 0 };
    let mut phase = Phase {
        weights: variants.iter().map(experiment::Variant::weight).collect(),
        assigned: vec![0; variants.len()],
    };
    let mut is_by_visitor = false;
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line).context("cannot read the request log")? > 0 {
        let start = line.iter().position(|byte| *byte == b'{');
        let event = start.and_then(|start| serde_json::from_slice::<Event<'_>>(&line[start..]).ok());
        match event {
            Some(Event { kind, variant: Some(label), .. }) if kind == "sentiment" => {
                match experiment.position(&label) {
                    Some(_) if is_by_visitor => assignments.by_visitor += 1,
                    Some(position) => phase.assigned[position] += 1,
                    None => assignments.elsewhere += 1,
                }
            }
            Some(Event { kind, variants: Some(text), assignment, .. }) if kind == "experiment" => {
                is_by_visitor = assignment.as_deref() == Some("visitor");
                if let Some(weights) = weights_in(&text, experiment)
                    && weights != phase.weights
                {
                    let next = Phase { weights, assigned: vec![0; variants.len()] };
                    assignments.phases.push(std::mem::replace(&mut phase, next));
                }
            }
            _ => {}
        }
        line.clear();
    }
    assignments.phases.push(phase);
    assignments.phases.retain(|phase| phase.assigned.iter().any(|count| *count > 0));
    Ok(assignments)
}

/// The weights that `text` gives to the variants of `experiment`: 0 to those that it does not name.
fn weights_in(text: &str, experiment: &Experiment) -> Option<Vec<u32>> {
    let other: Experiment = text.parse().ok()?;
    let weight =
        |label: &str| other.position(label).map_or(0, |position| other.variants()[position].weight());
    Some(experiment.variants().iter().map(|variant| weight(variant.label())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each phase by its weights and assignments, and the assignments elsewhere.
    type Counts = (Vec<(Vec<u32>, Vec<u64>)>, u64);

    fn counts(log: &str) -> Counts {
        let assignments = read(log.as_bytes(), &"a=3,b".parse().unwrap()).unwrap();
        let phases = assignments.phases.into_iter().map(|phase| (phase.weights, phase.assigned)).collect();
        (phases, assignments.elsewhere)
    }

    #[test]
    fn assignments_are_counted_whatever_stands_around_them() {
        let log = "Serving http://127.0.0.1:3000\n\
            {\"event\":\"sentiment\",\"status\":200,\"variant\":\"a\",\"outcome\":\"positive\",\"cached\":true}\n\
            sentiment-analysis | {\"event\":\"sentiment\",\"status\":502,\"variant\":\"a\"}\r\n\
            \x1b[2msentiment-analysis |\x1b[0m {\"event\":\"sentiment\",\"status\":200,\"variant\":\"b\"}\n\
            {\"event\":\"sentiment\",\"status\":400}\n{\"event\":\"other\",\"variant\":\"a\"}\n\
            {\"event\":\"sentiment\",\"variant\":\"c\"}\n\n{\"event\":\n{\n{\"event\":\"sentiment\",\"variant\":\"\\u0061\"}";
        assert_eq!(counts(log), (vec![(vec![3, 1], vec![3, 1])], 1));
        assert_eq!(counts(""), (Vec::new(), 0));
    }

    #[test]
    fn requests_of_assigned_visitors_are_no_assignments() {
        let say = |by: &str| {
            format!("{{\"event\":\"experiment\",\"variants\":\"a=3,b=1\",\"assignment\":\"{by}\"}}\n")
        };
        let a = "{\"event\":\"sentiment\",\"variant\":\"a\"}\n";
        let log = [a, &say("visitor"), a, a, a, &say("request"), a].concat();
        let assignments = read(log.as_bytes(), &"a=3,b".parse().unwrap()).unwrap();
        let counts: Vec<_> = assignments.phases.into_iter().map(|phase| phase.assigned).collect();
        assert_eq!((counts, assignments.by_visitor), (vec![vec![2, 0]], 3));
    }

    #[test]
    fn other_weights_begin_a_phase() {
        let say = |variants: &str| format!("{{\"event\":\"experiment\",\"variants\":\"{variants}\"}}\n");
        let a = "{\"event\":\"sentiment\",\"variant\":\"a\"}\n";
        let log = [&say("a=3,b=1"), a, &say("a=3,b"), a, &say("a,b,c"), a, &say("b"), &say("?="), a].concat();
        assert_eq!(
            counts(&log),
            (vec![(vec![3, 1], vec![2, 0]), (vec![1, 1], vec![1, 0]), (vec![0, 1], vec![1, 0])], 0)
        );
    }
}

//! The XML of `JUnit`, which build servers show: a suite for each variant, with a test case for each sentence that fails where
//! the answer is wrong, and a suite of requirements. Whether the build passes, the exit status says.

use std::io;
use std::time::Duration;

use experiment::presentation::proportion;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::commands::eval::asking::Answered;
use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;

const REQUIREMENTS: &str = "requirements";

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    let mut report = Report::new(format!("cargo ab eval: {}", evaluation.data));
    for (index, variant) in evaluation.report.variants.iter().enumerate() {
        let mut suite = TestSuite::new(&*variant.label);
        let accuracy = variant.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), proportion);
        suite.add_property(Property::new("accuracy", accuracy));
        suite.add_property(Property::new("fingerprint", variant.fingerprint.to_string()));
        for answered in sentences.read()? {
            suite.add_test_case(case(&answered?, index, &variant.label));
        }
        report.add_test_suite(suite);
    }
    if !evaluation.gates.is_empty() {
        let mut suite = TestSuite::new(REQUIREMENTS);
        for gate in &evaluation.gates {
            let failure = (!gate.met).then(|| (NonSuccessKind::Failure, gate.text.clone()));
            let mut case = TestCase::new(&*gate.text, status(failure));
            case.set_classname(REQUIREMENTS);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    Ok(report.serialize(out)?)
}

fn case(answered: &Answered, variant: usize, name: &str) -> TestCase {
    let expected = answered.expected;
    let reply = answered.replies.get(variant).and_then(|replies| replies.first());
    let failure = match reply {
        Some(Ok(answer)) if answer.outcome != expected => Some((
            NonSuccessKind::Failure,
            format!("expected {expected}, got {} ({:?})", answer.outcome, answer.completion),
        )),
        Some(Err(error)) => Some((NonSuccessKind::Error, error.clone())),
        _ => None,
    };
    let mut case = TestCase::new(format!("{}: {}", answered.row, answered.sentence), status(failure));
    case.set_classname(name);
    // An earlier run's time says nothing of this one.
    if let Some(Ok(answer)) = reply.filter(|reply| reply.as_ref().is_ok_and(|answer| !answer.cached)) {
        case.set_time(Duration::from_millis(answer.elapsed_ms));
    }
    case
}

fn status(failure: Option<(NonSuccessKind, String)>) -> TestCaseStatus {
    failure.map_or_else(TestCaseStatus::success, |(kind, message)| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    })
}

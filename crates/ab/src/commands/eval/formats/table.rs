//! Tables for people at a terminal.

use std::io;

use crate::commands::eval::evaluation::Evaluation;
use crate::commands::report::{table, words};

pub(super) fn write(out: &mut dyn io::Write, evaluation: &Evaluation<'_>) -> anyhow::Result<()> {
    let report = &evaluation.report;
    for fact in evaluation.facts() {
        writeln!(out, "{fact}")?;
    }
    let mut parts = vec![table::variants(report, evaluation.rows())];
    for variant in &report.variants {
        parts.push(format!("{}\n{}", variant.label, table::confusion(variant)));
    }
    parts.extend(
        report.comparisons.iter().map(|comparison| table::comparison(comparison).trim_end().to_owned()),
    );
    if report.comparisons.len() > 1 {
        parts
            .extend(report.decision.as_ref().map(|decision| format!("Of all: {}", words::verdict(decision))));
    }
    if !evaluation.gates.is_empty() {
        let gates = evaluation
            .gates
            .iter()
            .map(|gate| format!("{} {}", if gate.met { "passed" } else { "FAILED" }, gate.text));
        parts.push(gates.collect::<Vec<_>>().join("\n"));
    }
    Ok(writeln!(out, "\n{}", parts.join("\n\n"))?)
}

//! One page that needs nothing else: the report with its charts, every disagreement, the prompts.

use std::io;

use maud::{Markup, PreEscaped, html};

use crate::commands::eval::asking::Answered;
use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;
use crate::commands::report::{html as page, words};

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    let mut add = |markup: Markup| out.write_all(markup.into_string().as_bytes());
    let names: Vec<&str> = evaluation.variants.iter().map(|variant| variant.name.as_str()).collect();
    add(page::head(&format!("Which prompt is better? {}", names.join(", ")), &evaluation.facts()))?;
    add(page::report(&evaluation.report, &evaluation.rows()))?;
    add(demands(evaluation))?;
    if evaluation.disagreeing > 0 {
        add(disagreements(evaluation, &names))?;
        for answered in sentences.read()? {
            add(disagreement(&answered?))?;
        }
        add(PreEscaped(DISAGREEMENTS_END.to_owned()))?;
    }
    add(prompts(evaluation))?;
    add(page::method(&evaluation.report))?;
    Ok(out.write_all(page::TAIL.as_bytes())?)
}

/// What the start of the list of disagreements leaves open: its rows are written one by one.
const DISAGREEMENTS_END: &str = "</tbody></table></div></section>";

fn demands(evaluation: &Evaluation<'_>) -> Markup {
    html! {
        @if !evaluation.gates.is_empty() {
            section aria-labelledby="demands" {
                h2 #demands { "Demands" }
                ul {
                    @for gate in &evaluation.gates {
                        li { strong { (if gate.met { "passed" } else { "failed" }) } " " (gate.text) }
                    }
                }
            }
        }
    }
}

fn disagreements(evaluation: &Evaluation<'_>, names: &[&str]) -> Markup {
    html! {
        (PreEscaped("<section aria-labelledby=\"disagreements\">"))
        h2 #disagreements { "Disagreements" }
        p.note {
            "The " (words::counted(evaluation.disagreeing, "sentence", "sentences"))
            " to which the prompts got different answers: only these tell them apart."
        }
        (PreEscaped("<div class=\"scrolling\" role=\"region\" aria-label=\"Disagreements\" tabindex=\"0\"><table>"))
        thead {
            tr {
                th scope="col" { "Row" } th scope="col" { "Sentence" } th scope="col" { "Expected" }
                @for name in names { th scope="col" { (name) } }
            }
        }
        (PreEscaped("<tbody>"))
    }
}

fn disagreement(answered: &Answered) -> Markup {
    html! {
        tr {
            td { (answered.row) }
            td.sentence dir="auto" { (answered.sentence) }
            td { (answered.expected) }
            @for reply in answered.replies.iter().filter_map(|replies| replies.first()) {
                td {
                    @match reply {
                        Ok(answer) => {
                            @let right = answer.outcome == answered.expected;
                            span.answer.right[right].wrong[!right] {
                                (if right { "✓ " } else { "✗ " }) (answer.outcome)
                            }
                            @if answer.cached { " " span.cached { "(kept)" } }
                            @if answer.completion.trim() != answer.outcome.as_str() {
                                span.completion { (answer.completion.trim()) }
                            }
                        }
                        Err(error) => { span.answer.wrong { "no answer" } span.completion { (error) } }
                    }
                }
            }
        }
    }
}

fn prompts(evaluation: &Evaluation<'_>) -> Markup {
    html! {
        section aria-labelledby="prompts" {
            h2 #prompts { "Prompts" }
            @for variant in evaluation.variants {
                details {
                    summary { (variant.name) " (" (variant.prompt.fingerprint()) ")" }
                    pre { (variant.prompt.text()) }
                }
            }
        }
    }
}

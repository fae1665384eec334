//! A line for each answer, in the order of the data.

use std::io;

use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;
use crate::results::spreadsheet::cell;

const HEADER: [&str; 13] = [
    "row",
    "sentence",
    "expected",
    "variant",
    "repetition",
    "outcome",
    "correct",
    "cached",
    "elapsed_ms",
    "prompt_tokens",
    "generated_tokens",
    "completion",
    "error",
];

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER)?;
    for answered in sentences.read()? {
        let answered = answered?;
        let row = answered.row.to_string();
        for (variant, replies) in evaluation.variants.iter().zip(&answered.replies) {
            for (reply, repetition) in replies.iter().zip(1_u32..) {
                let (answer, error) = (reply.as_ref().ok(), reply.as_ref().err());
                let of_answer = answer.map_or_else(<[String; 7]>::default, |answer| {
                    [
                        answer.outcome.to_string(),
                        (answer.outcome == answered.expected).to_string(),
                        answer.cached.to_string(),
                        answer.elapsed_ms.to_string(),
                        answer.prompt_tokens.to_string(),
                        answer.generated_tokens.to_string(),
                        cell(&answer.completion).into_owned(),
                    ]
                });
                let repetition = repetition.to_string();
                let of_sentence = [
                    &row,
                    &*cell(&answered.sentence),
                    answered.expected.as_str(),
                    &*cell(&variant.name),
                    &repetition,
                ];
                let error = error.map(String::as_str).unwrap_or_default();
                csv.write_record(
                    of_sentence
                        .into_iter()
                        .chain(of_answer.iter().map(String::as_str))
                        .chain([&*cell(error)]),
                )?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

//! One JSON document: the numbers, then the sentences on which variants disagree.

use std::cell::RefCell;
use std::io;

use sentiment::Outcome;
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use crate::commands::eval::asking::Answered;
use crate::commands::eval::cache::Classification;
use crate::commands::eval::evaluation::Evaluation;
use crate::commands::eval::spool::Spool;
use crate::variants::Variant;

#[derive(Serialize)]
#[serde(bound(serialize = ""))]
struct Document<'a, I: Iterator<Item = anyhow::Result<Answered>>> {
    #[serde(flatten)]
    evaluation: &'a Evaluation<'a>,
    disagreements: Disagreements<'a, I>,
}

/// Written as they are read, so that they are never all in memory.
struct Disagreements<'a, I>(&'a [Variant], RefCell<I>);

#[derive(Serialize)]
struct Disagreement<'a> {
    row: u64,
    sentence: &'a str,
    expected: Outcome,
    answers: Vec<JudgedReply<'a>>,
}

#[derive(Serialize)]
struct JudgedReply<'a> {
    variant: &'a str,
    correct: bool,
    #[serde(flatten)]
    answer: Option<&'a Classification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<I: Iterator<Item = anyhow::Result<Answered>>> Serialize for Disagreements<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for answered in &mut *self.1.borrow_mut() {
            let answered = answered.map_err(S::Error::custom)?;
            let first = answered.replies.iter().filter_map(|replies| replies.first());
            let answers = self.0.iter().zip(first).map(|(variant, reply)| JudgedReply {
                variant: &variant.name,
                correct: reply.as_ref().is_ok_and(|answer| answer.outcome == answered.expected),
                answer: reply.as_ref().ok(),
                error: reply.as_ref().err().map(String::as_str),
            });
            list.serialize_element(&Disagreement {
                row: answered.row,
                sentence: &answered.sentence,
                expected: answered.expected,
                answers: answers.collect(),
            })?;
        }
        list.end()
    }
}

pub(super) fn write(
    out: &mut dyn io::Write,
    evaluation: &Evaluation<'_>,
    sentences: &mut Spool,
) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(evaluation, sentences)?)?;
    Ok(writeln!(out)?)
}

/// The document, whose disagreements are read while it is written, once.
pub(super) fn document<'a>(
    evaluation: &'a Evaluation<'a>,
    sentences: &mut Spool,
) -> anyhow::Result<impl Serialize + use<'a>> {
    let disagreements = Disagreements(evaluation.variants, RefCell::new(sentences.read()?));
    Ok(Document { evaluation, disagreements })
}

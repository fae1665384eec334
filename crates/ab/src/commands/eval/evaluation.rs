//! What an evaluation found.

use experiment::Fingerprint;
use experiment::analysis::{Analysis, CurrentVariant, Observation, Plan, Proportion, Report};
use experiment::numbers::{count, counted};
use experiment::presentation::{Presentation, Table, proportion};
use experiment::statistics::Score;
use sentiment::Outcome;
use serde::Serialize;
use serde_json::{Map, Value};

use super::asking::{Answered, Counts};
use super::gates::Gate;
use crate::model::Model;
use crate::variants::Variant;

/// An evaluation that came to its end.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation<'a> {
    /// The file of labelled sentences.
    pub(super) data: String,
    pub(super) sentences: u64,
    pub(super) model: AskedModel<'a>,
    /// What people should know about the model.
    pub(super) model_note: Option<String>,
    /// How often each question was asked.
    pub(super) repeat: u32,
    #[serde(flatten)]
    pub(super) counts: Counts,
    /// Sentences to which the variants' answers differ.
    pub(super) disagreeing: u64,
    /// For each variant the share of sentences that it answered the same every time; only where each was asked repeatedly.
    pub(super) stability: Vec<Option<Proportion>>,
    /// What was required of the variants, and whether they meet it.
    pub(super) gates: Vec<Gate>,
    #[serde(flatten)]
    pub(super) report: Report,
    pub(super) presentation: Presentation,
    pub(super) prompts: Vec<ShownPrompt<'a>>,
    #[serde(skip)]
    pub(super) variants: &'a [Variant],
}

/// The model, and with what it was asked.
#[derive(Debug, Serialize)]
pub(super) struct AskedModel<'a> {
    #[serde(flatten)]
    pub(super) model: &'a Model,
    /// The parameters of the last question, by their names in the protocol; none where all answers were cached.
    pub(super) sent: Map<String, Value>,
}

/// A prompt as reports show it.
#[derive(Debug, Serialize)]
pub(super) struct ShownPrompt<'a> {
    variant: &'a str,
    fingerprint: Fingerprint,
    text: &'a str,
}

impl<'a> ShownPrompt<'a> {
    /// The prompt of a variant.
    pub(super) fn of(variant: &'a Variant) -> Self {
        let fingerprint = variant.prompt.fingerprint();
        Self { variant: &variant.name, fingerprint, text: variant.prompt.text() }
    }
}

impl Evaluation<'_> {
    /// Adds to the table of variants what an evaluation alone knows of them.
    pub(super) fn add_rows(&mut self) {
        let rows = &mut self.presentation.variants.rows;
        if self.repeat > 1 {
            let cell = |share: &Option<Proportion>| share.as_ref().map_or_else(|| "–".to_owned(), proportion);
            let name = format!("Same answer {} times", self.repeat);
            rows.insert(0, Table::row(&name, self.stability.iter().map(cell)));
        }
        rows.insert(0, Table::row("From", self.variants.iter().map(|variant| variant.from.clone())));
    }

    /// What was done, in some words each.
    pub(super) fn facts(&self) -> Vec<String> {
        let AskedModel { model, sent } = &self.model;
        let Counts { asked, cached, failed, .. } = self.counts;
        let answers = counted(asked + cached, "answer");
        let mut facts = vec![
            format!("Model {}", model.shown()),
            format!("{} of {}", counted(self.sentences, "sentence"), self.data),
            match (asked, cached) {
                (_, 0) => answers,
                (0, _) => format!("{answers}, all cached"),
                _ => format!("{answers}: {} new, {} cached", count(asked), count(cached)),
            },
        ];
        if !sent.is_empty() {
            let sent: Vec<_> = sent.iter().map(|(name, value)| format!("{name} {value}")).collect();
            facts.push(format!("Asked in {}: {}", model.protocol(), sent.join(", ")));
        }
        if failed > 0 {
            facts.push(format!("{} without an answer", counted(failed, "question")));
        }
        facts
    }
}

/// Counts answers, in memory that does not grow with them.
#[derive(Debug)]
pub(super) struct Tally {
    analysis: Analysis,
    variants: Vec<(Fingerprint, Stable)>,
    model: String,
    repeat: u32,
    pub(super) disagreeing: u64,
}

/// Sentences that one variant answered in every repetition: the same each time, or not.
#[derive(Debug, Clone, Copy, Default)]
struct Stable {
    same: u64,
    different: u64,
}

impl Tally {
    pub(super) fn new(variants: &[Variant], model: &str, repeat: u32) -> Self {
        let current =
            variants.iter().map(|it| CurrentVariant::new(&it.name, 1, it.prompt.fingerprint(), model));
        Self {
            analysis: Analysis::new(Outcome::in_analysis(), current.collect(), Plan::once()),
            variants: variants.iter().map(|it| (it.prompt.fingerprint(), Stable::default())).collect(),
            model: model.to_owned(),
            repeat,
            disagreeing: 0,
        }
    }

    pub(super) fn add(&mut self, answered: &Answered) {
        let first = answered.first().zip(&self.variants).enumerate();
        let observed = first.filter_map(|(variant, (answer, (prompt, _)))| {
            let answer = answer?;
            let observation = Observation {
                prompt: *prompt,
                model: &self.model,
                outcome: answer.outcome.as_str(),
                expected: vec![answered.expected.as_str()],
                elapsed_ms: (!answer.cached).then_some(answer.elapsed_ms),
                prompt_tokens: answer.prompt_tokens,
                generated_tokens: answer.generated_tokens,
            };
            Some((variant, observation))
        });
        let observed: Vec<_> = observed.collect();
        self.analysis.observe_together(&observed);
        self.disagreeing += u64::from(answered.is_disagreement());
        if self.repeat > 1 {
            for ((_, stable), replies) in self.variants.iter_mut().zip(&answered.replies) {
                stable.add(replies.iter().map(|reply| reply.as_ref().ok().map(|answer| answer.outcome)));
            }
        }
    }

    pub(super) fn report(&self) -> Report {
        self.analysis.report()
    }

    /// As [`Evaluation::stability`] has it.
    pub(super) fn stability(&self) -> Vec<Option<Proportion>> {
        self.variants.iter().map(|(_, stable)| stable.share()).collect()
    }
}

impl Stable {
    fn add(&mut self, outcomes: impl Iterator<Item = Option<Outcome>>) {
        let Some(outcomes) = outcomes.collect::<Option<Vec<_>>>() else { return };
        let count = if outcomes.windows(2).all(|two| two[0] == two[1]) {
            &mut self.same
        } else {
            &mut self.different
        };
        *count += 1;
    }

    fn share(self) -> Option<Proportion> {
        Proportion::of(Score::new(self.same, self.different))
    }
}

//! `backfill`: asks the variants for what other variants' stores have and theirs lack, so that the sentences can be compared.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use api::settings;
use experiment::analysis::Observation;
use experiment::journal::{Draw, Journal, LABEL, Round};
use experiment::numbers::counted;
use experiment::{Key, PROMPT_KEY, Prompt, Record, key, tally};
use futures::future::join_all;
use sentiment::{DEFAULT_PROMPT, Outcome, read_completion};

use crate::model::{self, Choice, Model, NoAnswer};
use crate::results::live;
use crate::terminal::{Printer, failure};
use crate::workspace::{Location, OpenStore, Target, Workspace};

/// How long an answer may take where the app does not say.
const PATIENCE: Duration = Duration::from_secs(30);

/// Questions that are under way at the same time.
const AT_ONCE: usize = 8;

/// After so many questions in a row without an answer the model is taken to be gone.
const GIVE_UP_AFTER: usize = 12;

/// What to ask.
#[derive(Debug, Clone)]
pub(crate) struct Backfill {
    /// At most so many sentences.
    pub(crate) limit: Option<usize>,
    /// Only say what would be asked.
    pub(crate) dry_run: bool,
    pub(crate) location: Location,
}

/// A variant with its store and prompt.
struct Variant {
    label: String,
    store: OpenStore,
    prompt: Prompt,
}

/// What each variant's current prompt made of a sentence at first, if it was asked.
struct Sentence {
    text: String,
    outcomes: Vec<Option<Outcome>>,
}

/// Asks, records, counts and draws. What was answered stays when it is interrupted, so that the next run goes on from there.
///
/// # Errors
///
/// The app has no experiment or no journal, a store cannot be read or written, or the model gives no answers.
pub(crate) fn run(backfill: &Backfill, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&backfill.location)?;
    let name = live::model(&workspace)?;
    let variants = variants(&workspace, printer)?;
    let mut sentences = lacking(&variants, &name)?;
    sentences.truncate(backfill.limit.unwrap_or(usize::MAX));
    let questions: usize =
        sentences.iter().map(|it| it.outcomes.iter().filter(|outcome| outcome.is_none()).count()).sum();
    let all = format!(
        "{} for {}",
        counted(questions as u64, "question"),
        counted(sentences.len() as u64, "sentence")
    );
    if backfill.dry_run || sentences.is_empty() {
        printer.message(format_args!("{all}{}", if backfill.dry_run { " would be asked" } else { "" }));
        return Ok(());
    }
    let limit = model::setting(&workspace, "model_timeout", PATIENCE, settings::model_timeout)?;
    let model = Model::find(&Choice { limit, ..Choice::default() }, &workspace, printer)?;
    let found = workspace.find(&Target::Label { label: LABEL.to_owned(), app: None })?;
    let journal = Journal::new(workspace.open_store(&found, printer)?);
    let round = Round::new(variants.iter().map(|variant| variant.prompt.fingerprint()), &model.name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    printer.message(format_args!("Asking {}: {all}", model.shown()));
    let progress = printer.progress(sentences.len() as u64);
    let (mut asked, mut failed) = (0_u64, Failed::default());
    for sentences in sentences.chunks_mut(AT_ONCE) {
        let answers = sentences.iter().map(|sentence| ask(&model, &variants, sentence));
        let answers = runtime.block_on(join_all(answers));
        for (sentence, answers) in sentences.iter_mut().zip(answers) {
            for (variant, answer) in answers {
                let Some(record) = failed.note(answer)? else { continue };
                sentence.outcomes[variant] = Some(record.answer);
                asked += 1;
                record_and_count(&variants[variant], &sentence.text, record)?;
            }
            if let Some(draw) = complete(&variants, sentence).filter(|_| round.prompts().len() > 1) {
                journal.draw(&round, &draw, &mut rand::rng())?;
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    printer.message(format_args!("{} answered", counted(asked, "question")));
    match failed.first {
        Some(error) => Err(failure(format!("{} not answered: {error}", counted(failed.all, "question was")))
            .hint("run it again; only what was not answered is asked")
            .into()),
        None => Ok(()),
    }
}

/// Questions without an answer.
#[derive(Default)]
struct Failed {
    all: u64,
    in_a_row: usize,
    first: Option<NoAnswer>,
}

impl Failed {
    fn note<T>(&mut self, answer: Result<T, NoAnswer>) -> anyhow::Result<Option<T>> {
        let error = match answer {
            Ok(answer) => {
                self.in_a_row = 0;
                return Ok(Some(answer));
            }
            Err(error) => error,
        };
        self.all += 1;
        self.in_a_row += 1;
        if self.in_a_row >= GIVE_UP_AFTER {
            let hint = error.hint();
            return Err(failure(format!("the model does not answer: {error}")).hint(hint).into());
        }
        self.first.get_or_insert(error);
        Ok(None)
    }
}

fn variants(workspace: &Workspace, printer: Printer) -> anyhow::Result<Vec<Variant>> {
    let experiment = live::experiment(workspace)?;
    let variants = experiment.variants().iter().map(|variant| {
        let label = variant.label().to_owned();
        let store = workspace
            .open_store(&workspace.find(&Target::Label { label: label.clone(), app: None })?, printer)?;
        let prompt = Prompt::from_store(store.get(PROMPT_KEY)?, DEFAULT_PROMPT);
        Ok(Variant { label, store, prompt })
    });
    variants.collect()
}

/// The sentences that some variants' current prompts have answered and others not, sorted.
fn lacking(variants: &[Variant], model: &str) -> anyhow::Result<Vec<Sentence>> {
    let mut sentences: BTreeMap<String, Sentence> = BTreeMap::new();
    for (index, variant) in variants.iter().enumerate() {
        variant.store.for_each(|key, value| {
            let record = Record::<Outcome>::from_json(value).filter(|_| !key::is_reserved(key));
            let Some(record) = record.filter(|it| it.is_of(variant.prompt.fingerprint(), model)) else {
                return Ok(());
            };
            let sentence = sentences.entry(key.to_owned()).or_insert_with(|| Sentence {
                text: record.sentence.clone().unwrap_or_else(|| key.to_owned()),
                outcomes: vec![None; variants.len()],
            });
            sentence.outcomes[index] = Some(*record.first());
            Ok(())
        })?;
    }
    let mut sentences: Vec<_> = sentences.into_values().collect();
    sentences.retain(|sentence| sentence.outcomes.contains(&None));
    Ok(sentences)
}

/// Asks every variant that has not answered.
async fn ask(
    model: &Model,
    variants: &[Variant],
    sentence: &Sentence,
) -> Vec<(usize, Result<Record<Outcome>, NoAnswer>)> {
    let mut answers = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        if sentence.outcomes[index].is_some() {
            continue;
        }
        let rendered = variant.prompt.render(&sentence.text);
        let started = Instant::now();
        let answer = model.complete(&rendered).await.map(|completion| {
            let outcome = read_completion(&rendered, &completion.text);
            let key = Key::for_sentence(&sentence.text);
            Record::new(&key, outcome, variant.prompt.fingerprint(), model.name.as_str())
                .timed(SystemTime::now(), started.elapsed())
                .with_tokens(completion.prompt_tokens, completion.generated_tokens)
        });
        answers.push((index, answer));
    }
    answers
}

/// Writes a record as the app does: what visitors said stays, and a value that is not a record stays as it is.
fn record_and_count(variant: &Variant, sentence: &str, mut record: Record<Outcome>) -> anyhow::Result<()> {
    let key = Key::for_sentence(sentence);
    let before = loop {
        let current = variant.store.get(key.as_str())?;
        let before = current.as_deref().and_then(Record::<Outcome>::from_json);
        if current.is_some() && before.is_none() {
            return Ok(());
        }
        if let Some(before) = &before {
            record.keep_votes_of(before);
            record.keep_first_of(before);
        }
        let value = record.to_json()?;
        let swapped = variant
            .store
            .ask(async |store| store.compare_and_swap(key.as_str(), current.as_deref(), value).await)
            .with_context(|| format!("cannot record an answer of \"{}\"", variant.label))?;
        if swapped {
            break before;
        }
    };
    let observed = |record| Observation::of_record(record, |outcome: &Outcome| outcome.as_str());
    let before = before.as_ref().map(observed);
    tally::count(&variant.store, before.as_ref(), Some(&observed(&record)))
}

/// The sentence with what every prompt made of it, if all answered.
fn complete(variants: &[Variant], sentence: &Sentence) -> Option<Draw> {
    let mut draw = Draw::new(sentence.text.as_str());
    for (variant, outcome) in variants.iter().zip(&sentence.outcomes) {
        draw.add(variant.prompt.fingerprint(), outcome.as_ref()?.as_str());
    }
    Some(draw)
}

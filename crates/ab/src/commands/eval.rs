//! `eval`: which of some prompts makes the model classify labelled sentences better.

mod asking;
mod cache;
mod dataset;
mod evaluation;
mod formats;
mod gates;
mod retry;
mod spool;

use std::future::ready;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Instant;

use experiment::numbers::counted;
use experiment::presentation::Presentation;
use futures::StreamExt as _;
use futures::stream;
use indicatif::ProgressBar;
use serde_json::Map;
use tokio::time::{MissedTickBehavior, interval};

use self::asking::Asking;
pub(crate) use self::asking::Effort;
use self::cache::Cache;
use self::dataset::Dataset;
use self::evaluation::{AskedModel, Evaluation, ShownPrompt, Tally};
pub(crate) use self::formats::Format;
pub(crate) use self::gates::{Gates, NOT_MET};
use self::spool::Spool;
use crate::model::{Choice, Model};
use crate::results::output;
use crate::terminal::{Printer, Warning, failure, program, signal};
use crate::variants::{self, Source};
use crate::workspace::{Location, Workspace};

/// How many sentences are begun before the first of them is through: a slow answer does not hold up the others.
const WINDOW: usize = 1_024;

/// After so many sentences the runtime is let in, even if all of them were answered before: otherwise nobody would hear
/// that a person wants to stop.
const YIELD_EVERY: u64 = 256;

/// The exit status of a run that a person broke off.
const INTERRUPTED: u8 = 130;

/// Where answers are kept, below the app's folder.
const CACHE: &str = ".spin/eval/answers.db";

/// What to evaluate, and how.
#[derive(Debug, Clone)]
pub(crate) struct Eval {
    pub(crate) location: Location,
    /// The labelled sentences.
    pub(crate) data: PathBuf,
    /// Only so many of them.
    pub(crate) limit: Option<u64>,
    /// The prompts; none means those of the app's links.
    pub(crate) sources: Vec<Source>,
    pub(crate) model: Choice,
    pub(crate) effort: Effort,
    pub(crate) cache: Keep,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
    pub(crate) gates: Gates,
}

/// Where answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keep {
    /// In the app's folder.
    InApp,
    /// In this file.
    In(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Evaluates and reports.
///
/// # Errors
///
/// The data, a prompt or the model cannot be used; a person or the model broke off; some questions have no answer; or
/// a demand is not met.
pub(crate) fn run(eval: &Eval, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&eval.location)?;
    let dataset = Dataset::check(&eval.data, eval.limit)?;
    let baseline = eval.gates.baseline.as_deref();
    let (variants, baseline) = variants::find(&workspace, &eval.sources, baseline, printer)?;
    let model = Model::find(&eval.model, &workspace, printer)?;
    let cache = match &eval.cache {
        Keep::InApp => Some(Cache::open(&workspace.app.folder.join(CACHE))?),
        Keep::In(path) => Some(Cache::open(path)?),
        Keep::Nowhere => None,
    };
    let kept_in = cache.as_ref().map(|cache| cache.path().to_owned());
    let asking = Asking::new(&model, &variants, eval.effort, cache);
    let mut tally = Tally::new(&variants, &model.name, eval.effort.repeat);
    let mut sentences = Spool::new()?;

    printer.message(format_args!(
        "Asking {}: {}, {}",
        model.shown(),
        counted(dataset.sentences, "sentence"),
        counted(variants.len() as u64, "prompt")
    ));
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(ask_all(&asking, &dataset, printer, &mut |answered| {
        tally.add(&answered);
        if eval.format.shows(&answered) { sentences.add(&answered) } else { Ok(()) }
    }));
    asking.commit()?;
    let counts = asking.counts();
    printer.message(counts.told(started.elapsed()));
    let ended = ended.and_then(|ended| asking.broken().map_or(Ok(ended), Err));
    if !matches!(ended, Ok(Ended::Through)) && counts.asked > 0 {
        printer.message(match &kept_in {
            Some(path) => {
                format!(
                    "The answers so far are in {}; run the same command again to continue.",
                    path.display()
                )
            }
            None => "The answers are lost because of --no-cache.".to_owned(),
        });
    }
    if ended? == Ended::Interrupted {
        return Err(failure("interrupted").status(INTERRUPTED).into());
    }

    let report = tally.report();
    let presentation = Presentation::of(&report);
    let mut evaluation = Evaluation {
        data: dataset.path().display().to_string(),
        sentences: dataset.sentences,
        model: AskedModel { model: &model, sent: if counts.asked > 0 { model.sent() } else { Map::new() } },
        model_note: model.note.as_ref().map(|note| format!("Answers come from the {note}.")),
        repeat: eval.effort.repeat,
        counts,
        disagreeing: tally.disagreeing,
        stability: tally.stability(),
        gates: eval.gates.judge(&report, baseline),
        report,
        presentation,
        prompts: variants.iter().map(ShownPrompt::of).collect(),
        variants: &variants,
    };
    evaluation.add_rows();
    output::write(eval.output.as_deref(), printer, |out| {
        eval.format.write(out, &evaluation, &mut sentences)
    })?;
    if eval.format == Format::Table {
        evaluation.report.warnings.iter().for_each(|notice| printer.warn(&Warning::Analysis(notice.clone())));
    }
    conclude(&evaluation)
}

/// How asking ended, unless it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Through,
    Interrupted,
}

/// Puts every sentence to the model, and hands them on in their order.
async fn ask_all(
    asking: &Asking<'_>,
    dataset: &Dataset,
    printer: Printer,
    take: &mut dyn FnMut(asking::Answered) -> anyhow::Result<()>,
) -> anyhow::Result<Ended> {
    let bar = printer.progress(dataset.sentences).with_message("sentences");
    let cases = stream::iter(dataset.cases()?).take_while(|_| ready(asking.goes_on()));
    let answers = cases.map(|case| async move { anyhow::Ok(asking.put(case?).await) }).buffered(WINDOW);
    let mut answers = pin!(answers);
    let mut commit = interval(cache::COMMIT_EVERY);
    commit.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupted = pin!(signal::interruption()?);
    let mut through = 0_u64;
    loop {
        let answered = tokio::select! {
            biased;
            () = &mut interrupted => {
                if asking.goes_on() {
                    asking.stop();
                    tell(&bar, printer, "Waiting for the answers in flight; interrupt again to quit at once.");
                    interrupted.set(signal::interruption()?);
                    continue;
                }
                break;
            }
            answered = answers.next() => answered,
            _ = commit.tick() => {
                asking.commit()?;
                continue;
            }
        };
        let Some(answered) = answered else { break };
        let Some(answered) = answered? else { continue };
        take(answered)?;
        bar.inc(1);
        through += 1;
        if through.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
    }
    bar.finish_and_clear();
    Ok(if asking.goes_on() || through == dataset.sentences { Ended::Through } else { Ended::Interrupted })
}

fn tell(bar: &ProgressBar, printer: Printer, text: &str) {
    bar.suspend(|| printer.message(text));
}

/// An evaluation with gaps fails, and so does one whose requirements are not met.
fn conclude(evaluation: &Evaluation<'_>) -> anyhow::Result<()> {
    let failed = evaluation.counts.failed;
    if failed > 0 {
        let questions =
            format!("{} {}", counted(failed, "question"), if failed == 1 { "has" } else { "have" });
        return Err(failure(format!("{questions} no answer; the numbers cover the others"))
            .hint("--format csv shows why; the same command asks only those again")
            .into());
    }
    let missed: Vec<&str> =
        evaluation.gates.iter().filter(|gate| !gate.met).map(|gate| gate.text.as_str()).collect();
    if missed.is_empty() {
        return Ok(());
    }
    Err(failure(missed.join("; "))
        .hint(format!("`{} eval --format html --output FILE` shows every disagreement", program()))
        .status(NOT_MET)
        .into())
}

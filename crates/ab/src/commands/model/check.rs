//! `model check`: whether the app's model answers, and whether it suits an experiment.

use std::time::{Duration, Instant};

use api::settings;
use chat::{FailureKind, Parameter};
use experiment::Prompt;
use experiment::numbers::counted;
use sentiment::{DEFAULT_PROMPT, Outcome, read_completion};
use spin_app::variables::Providers;

use crate::model::{self, Choice, Model, NoAnswer};
use crate::terminal::{Printer, failure};
use crate::variants::{self, Variant};
use crate::workspace::{Location, Workspace};

/// What the model is asked about, with every prompt.
const SENTENCE: &str = "What a beautiful sunrise!";

/// How often it is asked with each.
const TIMES: usize = 5;

/// The most names that are shown of a server's models.
const SHOWN_MODELS: usize = 8;

/// How long the app waits for an answer where it has no variable for that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which app's model to check.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) location: Location,
    /// Variables of the app, by name.
    pub(crate) variables: Vec<(String, String)>,
}

/// Asks the app's model as the app would, and says what to change.
///
/// # Errors
///
/// The app says nothing of a model, or the model gives no answer.
pub(crate) fn run(check: Check, printer: Printer) -> anyhow::Result<()> {
    let mut workspace = Workspace::open(&check.location)?;
    workspace.variables = Providers::new(check.variables.into_iter().collect());
    let limit = model::setting(&workspace, "model_timeout", PATIENCE, settings::model_timeout)?;
    let model = Model::find(&Choice { limit, ..Choice::default() }, &workspace, printer)?;
    let mut variants = variants::linked(&workspace, printer)?;
    if variants.is_empty() {
        let prompt = Prompt::from_store(Some(DEFAULT_PROMPT.into()), DEFAULT_PROMPT);
        variants.push(Variant { name: "default".to_owned(), from: "the app".to_owned(), prompt });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let advice = runtime.block_on(async {
        let mut advice = introduce(&model, limit, printer).await?;
        printer.data(format_args!("\nAsked {TIMES} times with each prompt: {SENTENCE}"))?;
        for variant in &variants {
            let answers = ask(&model, variant).await?;
            printer.data(format_args!("\n{} ({})", variant.name, variant.from))?;
            answers.describe(model.max_tokens).iter().try_for_each(|line| printer.data(line))?;
            advice.extend(answers.advice(&model, &variant.name));
        }
        anyhow::Ok(advice)
    })?;
    let sent: Vec<_> = model.sent().iter().map(|(name, value)| format!("{name} {value}")).collect();
    printer.data(format_args!("\nSent: {}", sent.join(", ")))?;
    conclude(advice, &model, printer)
}

/// Says where the model is, and whether its server knows it; gives what to change.
async fn introduce(model: &Model, limit: Duration, printer: Printer) -> anyhow::Result<Vec<String>> {
    printer.data(format_args!("Model:    {}", model.shown()))?;
    printer.data(format_args!("Protocol: {}", model.protocol()))?;
    let Some(server) = model.server() else { return Ok(Vec::new()) };
    printer.data(format_args!("Token:    {}", if server.has_token() { "sent" } else { "none" }))?;
    let started = Instant::now();
    let listed = server.models().await;
    let elapsed = millis(started.elapsed());
    let (listed, advice) = match listed {
        Ok(names) if names.contains(&model.name) => ("yes".to_owned(), None),
        Ok(names) => {
            let name = &model.name;
            let advice = format!(
                "the server answers but does not list the model `{name}`: check which model it runs, or set the \
                 variable `model` to a name that it lists"
            );
            (format!("no, but {}", some_of(&names)), Some(advice))
        }
        Err(failure) if is_out_of_reach(failure.kind()) => return Err(no_answer(&failure.into())),
        Err(_) => ("unknown; the server does not list its models".to_owned(), None),
    };
    printer.data(format_args!("Reached:  in {elapsed} ms; an answer may take {} s", limit.as_secs_f32()))?;
    printer.data(format_args!("Listed:   {listed}"))?;
    Ok(advice.into_iter().collect())
}

/// Whether questions need not be asked after such a failure.
const fn is_out_of_reach(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Unreachable | FailureKind::Certificate | FailureKind::TimedOut)
}

fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN_MODELS).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN_MODELS) {
        0 if names.is_empty() => "no other model either".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What the model answered to one prompt.
struct Answers(Vec<Answer>);

struct Answer {
    elapsed: Duration,
    text: String,
    outcome: Outcome,
    prompt_tokens: u32,
    generated_tokens: u32,
}

async fn ask(model: &Model, variant: &Variant) -> anyhow::Result<Answers> {
    let prompt = variant.prompt.render(SENTENCE);
    let mut answers = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let completion = model.complete(&prompt).await.map_err(|error| no_answer(&error))?;
        answers.push(Answer {
            elapsed: started.elapsed(),
            outcome: read_completion(&prompt, &completion.text),
            text: completion.text,
            prompt_tokens: completion.prompt_tokens,
            generated_tokens: completion.generated_tokens,
        });
    }
    Ok(Answers(answers))
}

fn no_answer(error: &NoAnswer) -> anyhow::Error {
    failure(format!("the model does not answer: {error}")).hint(error.hint()).into()
}

impl Answers {
    fn describe(&self, max_tokens: u32) -> [String; 4] {
        let mut times: Vec<u128> = self.0.iter().map(|answer| millis(answer.elapsed)).collect();
        let first = times.first().copied().unwrap_or_default();
        times.sort_unstable();
        let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
        let read = self.0.iter().map(|answer| answer.prompt_tokens).max().unwrap_or_default();
        let tokens = match (read, self.most_generated()) {
            (0, 0) => "not counted by the server".to_owned(),
            (read, written) => format!("{read} read, {written} written at most; the limit is {max_tokens}"),
        };
        let different = self.different();
        let same = match different.len() {
            1 => format!("the same {TIMES} times"),
            count => format!("{count} different ones in {TIMES}"),
        };
        let read_as = different.iter().map(|answer| format!("{} from {:?}", answer.outcome, answer.text));
        [
            format!("  Latency: {first} ms first, {median} ms median, {most} ms at most"),
            format!("  Tokens:  {tokens}"),
            format!("  Answers: {same}"),
            format!("  Read as: {}", read_as.collect::<Vec<_>>().join("; ")),
        ]
    }

    /// What to change.
    fn advice(&self, model: &Model, variant: &str) -> Vec<String> {
        let (limit, most) = (model.max_tokens, self.most_generated());
        let is_unsure = self.0.iter().any(|answer| answer.outcome == Outcome::Unsure);
        let different = self.different().len();
        let mut advice = Vec::new();
        if different > 1 && model.temperature <= 0.0 {
            advice.push(format!(
                "{variant}: {} at temperature 0: the server adds noise to every comparison; `eval --repeat` \
                 measures it, and asking fewer questions at once may reduce it",
                counted(different as u64, "different answer")
            ));
        }
        if most > limit {
            advice.push(format!(
                "{variant}: {most} tokens despite a limit of {limit}: set the limit in the server's own configuration"
            ));
        }
        if is_unsure {
            let longer = if most >= limit { "raise the variable `max_tokens`, or " } else { "" };
            advice.push(format!(
                "{variant}: no outcome can be read from some answers: {longer}make the prompt ask for one word: positive, \
                 neutral or negative"
            ));
        }
        advice
    }

    fn most_generated(&self) -> u32 {
        self.0.iter().map(|answer| answer.generated_tokens).max().unwrap_or_default()
    }

    /// The first of each text.
    fn different(&self) -> Vec<&Answer> {
        let mut different: Vec<&Answer> = Vec::new();
        for answer in &self.0 {
            if different.iter().all(|other| other.text != answer.text) {
                different.push(answer);
            }
        }
        different
    }
}

/// Says what to change, if anything.
fn conclude(mut advice: Vec<String>, model: &Model, printer: Printer) -> anyhow::Result<()> {
    if !model.sent().contains_key(Parameter::Temperature.name()) {
        let noise = match model.server() {
            Some(_) => {
                "the server refuses `temperature`: use a model that accepts it, or expect noise in every comparison"
            }
            None => {
                "no temperature is sent, but a penalty is: set the variable `model_server` instead of [llm_compute]"
            }
        };
        advice.push(noise.to_owned());
    }
    if advice.is_empty() {
        return Ok(printer.data("\nNothing needs to change.")?);
    }
    printer.data("\nTo change:")?;
    Ok(advice.iter().try_for_each(|advice| printer.data(format_args!("- {advice}")))?)
}

const fn millis(time: Duration) -> u128 {
    time.as_millis()
}

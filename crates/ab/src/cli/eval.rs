//! `eval`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use spin_app::runtime_config::ApiType;

use super::{LocationArguments, not_empty};
use crate::commands::eval::{Effort, Eval, Format, Gates, Keep};
use crate::model::Choice;
use crate::variants::Source;

/// How many questions may be under way at the same time.
const MOST_CONCURRENCY: u64 = 1_024;

const AFTER_HELP: &str = "\
Exit status: 0 on success; 1 if something failed or some questions have no answer; 3 if a requirement of
--fail-under, --fail-if-worse-than or --margin is not met; 130 if interrupted.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct EvalArguments {
    /// The labelled sentences: CSV with the columns sentence and expected, or JSON Lines with these fields
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    data: PathBuf,
    /// Evaluate only the first N sentences
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Evaluate the prompt in this store; may be given several times
    #[arg(short, long, value_parser = not_empty)]
    store: Vec<String>,
    /// Evaluate the prompt in the store that this label means; may be given several times
    #[arg(short, long, value_parser = not_empty)]
    label: Vec<String>,
    /// Evaluate the prompt in this file; may be given several times [default: the prompts of all linked stores]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    prompt_file: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArguments,
    /// How many questions to ask at the same time
    #[arg(short, long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u64).range(1..=MOST_CONCURRENCY))]
    concurrency: u64,
    /// How often to retry a question that failed for a temporary reason
    #[arg(long, value_name = "N", default_value = "5")]
    retries: u32,
    /// Ask each question N times, to see how stable the answers are; the first answer counts
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Cache answers in this file, and ask only what is not there [default: .spin/eval/answers.db]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Neither cache answers nor use cached ones
    #[arg(long)]
    no_cache: bool,
    /// What to print
    #[arg(long, default_value = "table")]
    format: EvalFormat,
    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Exit with status 3 if a prompt's accuracy is below this, from 0 to 1 or as a percentage: 0.8, 80%
    #[arg(long, value_name = "ACCURACY", value_parser = accuracy)]
    fail_under: Option<f64>,
    /// Exit with status 3 if a prompt is worse than the baseline prompt in this store: if the 95% interval of their
    /// difference lies below zero. The baseline is evaluated too, and --fail-under does not apply to it
    #[arg(long, value_name = "STORE", value_parser = not_empty)]
    fail_if_worse_than: Option<String>,
    /// Also exit with status 3 if a prompt is not shown to be less than this much worse than the baseline: if
    /// the interval reaches that far below zero. From 0 to 1 or as a percentage: 0.05, 5%
    #[arg(long, value_name = "MARGIN", value_parser = accuracy, requires = "fail_if_worse_than")]
    margin: Option<f64>,
    #[command(flatten)]
    location: LocationArguments,
}

#[derive(Debug, Args)]
struct ModelArguments {
    /// The model, as its server knows it [default: the app's variable `model`]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    model: Option<String>,
    /// The address of the model's server [default: that of `[llm_compute]`]
    #[arg(long, value_parser = not_empty)]
    url: Option<String>,
    /// The protocol of the model's server [default: that of `[llm_compute]`; with --url: default]
    #[arg(long, value_name = "PROTOCOL")]
    api: Option<Api>,
    /// The token for the model's server [default: that of `[llm_compute]`; with --url: none]
    #[arg(long, env = "AB_MODEL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// From 0 to 2 [default: the app's variable `temperature`]
    #[arg(long, value_name = "NUMBER", value_parser = temperature)]
    temperature: Option<f32>,
    /// How many seconds one answer may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Api {
    /// Spin's own: POST /infer
    Default,
    /// That of OpenAI and many others: POST /v1/chat/completions
    #[value(name = "open_ai", alias = "openai")]
    OpenAi,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EvalFormat {
    /// Tables for people
    Table,
    /// The numbers and every disagreement
    Json,
    /// One line per answer
    Csv,
    /// The Results page in one file, with every disagreement
    Html,
    /// For build servers: a suite per prompt, a case per sentence
    Junit,
}

impl From<EvalArguments> for Eval {
    fn from(arguments: EvalArguments) -> Self {
        let stores = arguments.store.into_iter().map(Source::Store);
        let labels = arguments.label.into_iter().map(Source::Label);
        let files = arguments.prompt_file.into_iter().map(Source::File);
        Self {
            location: arguments.location.into(),
            data: arguments.data,
            limit: arguments.limit,
            sources: stores.chain(labels).chain(files).collect(),
            model: arguments.model.into(),
            effort: Effort {
                concurrency: usize::try_from(arguments.concurrency).unwrap_or(1),
                retries: arguments.retries,
                repeat: arguments.repeat,
            },
            cache: match arguments.cache {
                _ if arguments.no_cache => Keep::Nowhere,
                Some(file) => Keep::In(file),
                None => Keep::InApp,
            },
            format: match arguments.format {
                EvalFormat::Table => Format::Table,
                EvalFormat::Json => Format::Json,
                EvalFormat::Csv => Format::Csv,
                EvalFormat::Html => Format::Html,
                EvalFormat::Junit => Format::Junit,
            },
            output: arguments.output,
            gates: Gates {
                fail_under: arguments.fail_under,
                baseline: arguments.fail_if_worse_than,
                margin: arguments.margin,
            },
        }
    }
}

impl From<ModelArguments> for Choice {
    fn from(arguments: ModelArguments) -> Self {
        let api = arguments.api.map(|api| match api {
            Api::Default => ApiType::Default,
            Api::OpenAi => ApiType::OpenAi,
        });
        Self {
            model: arguments.model,
            url: arguments.url,
            api,
            token: arguments.token,
            temperature: arguments.temperature,
            limit: Duration::from_secs(arguments.timeout),
        }
    }
}

fn accuracy(text: &str) -> Result<f64, &'static str> {
    let (number, scale) = text.trim().strip_suffix('%').map_or((text.trim(), 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map(|number| number / scale);
    share.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or("it should look like 0.8 or 80%")
}

fn temperature(text: &str) -> Result<f32, &'static str> {
    text.parse().ok().filter(|number| (0.0..=2.0).contains(number)).ok_or("it must be a number from 0 to 2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies() {
        for (text, share) in [("0.8", 0.8), ("80%", 0.8), (" 100 % ", 1.0), ("0", 0.0)] {
            assert!(accuracy(text).is_ok_and(|it| (it - share).abs() < 1e-12), "{text}");
        }
        for text in ["80", "-0.1", "101%", "NaN", "", "%"] {
            assert!(accuracy(text).is_err(), "{text}");
        }
    }
}

//! `report`, `backfill`, `recount` and `promote`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{LocationArguments, not_empty};
use crate::commands::backfill::Backfill;
use crate::commands::promote::Promote;
use crate::commands::recount::Recount;
use crate::commands::report::{Format, Report};

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Count the observations of this model [default: the app's variable `model`]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    model: Option<String>,
    /// The request log, to check the assignments against the weights; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    events: Option<PathBuf>,
    /// What to print
    #[arg(long, default_value = "table")]
    format: ReportFormat,
    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    location: LocationArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReportFormat {
    /// Tables for people
    Table,
    /// All numbers and sentences, as GET /api/results returns them
    Json,
    /// One line per number
    Csv,
    /// The Results page in one file
    Html,
}

impl From<ReportArguments> for Report {
    fn from(arguments: ReportArguments) -> Self {
        Self {
            location: arguments.location.into(),
            model: arguments.model,
            events: arguments.events,
            format: match arguments.format {
                ReportFormat::Table => Format::Table,
                ReportFormat::Json => Format::Json,
                ReportFormat::Csv => Format::Csv,
                ReportFormat::Html => Format::Html,
            },
            output: arguments.output,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArguments {
    /// Ask about at most N sentences
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only show how much would be asked
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    location: LocationArguments,
}

impl From<BackfillArguments> for Backfill {
    fn from(arguments: BackfillArguments) -> Self {
        let BackfillArguments { limit, dry_run, location } = arguments;
        Self { limit, dry_run, location: location.into() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RecountArguments {
    #[command(flatten)]
    location: LocationArguments,
}

impl From<RecountArguments> for Recount {
    fn from(arguments: RecountArguments) -> Self {
        Self { location: arguments.location.into() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PromoteArguments {
    /// The label of the better variant
    #[arg(value_parser = not_empty)]
    label: String,
    /// The app [default: the one in this folder]
    #[arg(short, long, value_parser = not_empty)]
    app: Option<String>,
    /// Do not ask for confirmation, even if it is not known to be better
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    location: LocationArguments,
}

impl From<PromoteArguments> for Promote {
    fn from(arguments: PromoteArguments) -> Self {
        let PromoteArguments { label, app, yes, location } = arguments;
        Self { label, app, yes, location: location.into() }
    }
}

//! The arguments. Each command turns them into plain values and calls its file in `commands`.

mod annotate;
mod eval;
mod kv;
mod link;
mod report;
mod up;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::commands;
use crate::terminal::Printer;
use crate::workspace::Location;

/// A/B-test prompts for language models: manage stores and links, run the app, find the better prompt.
#[derive(Debug, Parser)]
#[command(name = "ab", version, bin_name = crate::terminal::program(), propagate_version = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the app and serve it on this machine
    Up(up::UpArguments),
    /// Build the app's components, each with its own build command
    Build(up::BuildArguments),
    /// Serve the offline model on its own, in both protocols, or check the app's model
    Model(up::ModelArguments),
    /// Manage key value stores
    #[command(subcommand, visible_alias = "key-value")]
    Kv(kv::KvCommand),
    /// Link an app to a store
    #[command(subcommand)]
    Link(link::LinkCommand),
    /// Unlink an app from a store
    #[command(subcommand)]
    Unlink(link::UnlinkCommand),
    /// Find out which prompt is better, from labelled sentences
    Eval(Box<eval::EvalArguments>),
    /// Report which prompt is better, from live observations and annotations
    Report(report::ReportArguments),
    /// Annotate sentences on which the prompts differ, without seeing which prompt gave which answer
    Annotate(annotate::AnnotateArguments),
    /// Ask each variant about the sentences that only other variants have answered
    Backfill(report::BackfillArguments),
    /// Recount observations from the records
    Recount(report::RecountArguments),
    /// Make the better variant the only one by relinking
    Promote(report::PromoteArguments),
    /// Print a completion script for a shell
    #[command(after_help = commands::completions::installation())]
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Whatever the command reports.
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        match self.command {
            Command::Up(arguments) => commands::up::run(arguments.into(), printer),
            Command::Build(arguments) => arguments.run(printer),
            Command::Model(arguments) => arguments.run(printer),
            Command::Kv(command) => command.run(printer),
            Command::Link(command) => command.run(printer),
            Command::Unlink(command) => command.run(printer),
            Command::Eval(arguments) => commands::eval::run(&(*arguments).into(), printer),
            Command::Report(arguments) => commands::report::run(&arguments.into(), printer),
            Command::Annotate(arguments) => commands::annotate::run(&arguments.into(), printer),
            Command::Backfill(arguments) => commands::backfill::run(&arguments.into(), printer),
            Command::Recount(arguments) => commands::recount::run(&arguments.into(), printer),
            Command::Promote(arguments) => commands::promote::run(&arguments.into(), printer),
            Command::Completions { shell } => commands::completions::run(Self::command(), shell, printer),
        }
    }
}

/// Which app.
#[derive(Debug, Args)]
pub(crate) struct LocationArguments {
    /// The app: a spin.toml, or the folder that holds one [default: the current folder, or the nearest above]
    #[arg(short = 'f', long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    from: Option<PathBuf>,
    /// The file that holds the links [default: runtime-config.toml beside spin.toml]
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    runtime_config_file: Option<PathBuf>,
}

impl From<LocationArguments> for Location {
    fn from(arguments: LocationArguments) -> Self {
        Self { from: arguments.from, runtime_config_file: arguments.runtime_config_file }
    }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it must not be empty") } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}

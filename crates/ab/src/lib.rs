//! The command line: makes stores, links them to labels, runs the app, measures prompts.
//!
//! [`cli`] reads the arguments and hands plain values to one file of [`commands`] per command; those speak with
//! people through the [`terminal`] alone. An error is a message and, on a line of its own, what to do: see
//! [`terminal::Failure`].

mod cli;
mod commands;

// What they work on: the app of a folder with its links and stores, and what it needs before it can answer.
mod prepare;
mod workspace;

// What answers, and with which prompts it is asked.
mod model;
mod variants;

// What several of them find out and show: which prompt is better.
mod results;

// How they speak with people.
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

/// Does what the process's arguments say.
pub fn run() -> ExitCode {
    let arguments = cli::Cli::parse();
    let printer = terminal::Printer;
    match arguments.run(printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => printer.error(&error),
    }
}

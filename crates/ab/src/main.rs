//! The command line: makes stores, links them to labels, runs the app, measures prompts.
//!
//! [`cli`] reads the arguments and hands plain values to one file of [`commands`] per command; those print through the
//! [`printer`] alone. An error is a message and, on a line of its own, what to do: see [`failure`].

mod cli;
mod commands;

/// What the commands work on: the app of a folder, its links and its stores.
mod app;
mod runtime_config;
mod stores;
mod workspace;

/// How they speak with people.
mod failure;
mod printer;
mod prompt;
mod signal;
mod warning;

/// How they touch files without ever leaving one half written.
mod durable;

use std::process::ExitCode;

use clap::Parser as _;

/// What the runtime allocates per request is small and short-lived, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    let printer = printer::Printer;
    match arguments.run(printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => printer.error(&error),
    }
}

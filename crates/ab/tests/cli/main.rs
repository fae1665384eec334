//! The command line as a person uses it: real files, real processes, a real Redis server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without stops it")]

mod sandbox;

mod session;

mod annotate;
mod build;
mod completions;
mod entries;
mod eval;
mod faults;
mod killed;
mod links;
mod model;
mod model_servers;
mod plugin;
mod prune;
mod report;

//! `link` and `unlink`.

use clap::{Args, Subcommand};

use super::{LocationArguments, not_empty};
use crate::commands::{link, unlink};
use crate::terminal::Printer;

#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Link an app to a key value store
    #[command(visible_alias = "kv")]
    KeyValue(LinkArguments),
}

#[derive(Debug, Args)]
pub(crate) struct LinkArguments {
    /// The name by which the app opens the key value store
    #[arg(value_parser = not_empty)]
    label: String,
    /// The app that uses the store [default: the one in this folder]
    #[arg(short, long, value_parser = not_empty)]
    app: Option<String>,
    /// The store: a name, a path to its file, a redis:// URL; on Spin also an azure-cosmos:// or aws-dynamo:// address
    #[arg(short, long, value_parser = not_empty)]
    store: String,
    /// Change a link that leads to another store without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    location: LocationArguments,
}

impl LinkCommand {
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        let Self::KeyValue(LinkArguments { label, app, store, yes, location }) = self;
        link::run(&link::Link { label, app, store, yes }, &location.into(), printer)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnlinkCommand {
    /// Unlink an app from a key value store
    #[command(visible_alias = "kv")]
    KeyValue(UnlinkArguments),
}

#[derive(Debug, Args)]
pub(crate) struct UnlinkArguments {
    /// The name by which the app opens the key value store
    #[arg(value_parser = not_empty)]
    label: String,
    /// The app that uses the store [default: the one in this folder]
    #[arg(short, long, value_parser = not_empty)]
    app: Option<String>,
    #[command(flatten)]
    location: LocationArguments,
}

impl UnlinkCommand {
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        let Self::KeyValue(UnlinkArguments { label, app, location }) = self;
        unlink::run(&label, app.as_deref(), &location.into(), printer)
    }
}

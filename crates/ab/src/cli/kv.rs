//! `kv`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{LocationArguments, not_empty};
use crate::commands::kv;
use crate::terminal::Printer;
use crate::workspace::Target;

#[derive(Debug, Subcommand)]
pub(crate) enum KvCommand {
    /// Create a new key value store
    Create {
        /// The name of the key value store
        name: String,
        /// Use this Redis database instead of a file
        #[arg(long, value_name = "URL")]
        redis: Option<String>,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Copy all entries of one store into another and verify the copy
    ///
    /// An interrupted copy continues when it is run again. Entries that the target already has are left alone; if they differ, nothing is
    /// copied without --overwrite. The app may keep running: what it writes to the target is never replaced, and what it changes in
    /// the source after an entry was copied is reported at the end; another run with --overwrite copies it.
    Copy {
        /// The store to copy: a name, a path to its file, or a redis:// URL
        #[arg(value_parser = not_empty)]
        source: String,
        /// The store to fill, in the same form; a file that does not exist is created
        #[arg(value_parser = not_empty)]
        target: String,
        /// Replace values in the target that differ; entries that only the target has stay
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Delete a key value store
    Delete {
        /// The name of the key value store
        name: String,
        /// Do not ask for confirmation
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Rename a key value store and update the links to it
    Rename {
        /// The current name
        name: String,
        /// The new name
        new_name: String,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// List key value stores
    List {
        /// Only stores linked to this app
        #[arg(short, long)]
        app: Option<String>,
        /// Only this store
        #[arg(short, long)]
        store: Option<String>,
        /// How to group the table [default: app]
        #[arg(short, long)]
        group_by: Option<GroupBy>,
        #[arg(long, default_value = "table")]
        format: ListFormat,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Set keys, all of them or none
    Set {
        /// KEY=VALUE; KEY=@FILE takes the value from a file, KEY=- from standard input
        #[arg(value_name = "KEY=VALUE", required = true)]
        pairs: Vec<String>,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Delete keys, all of them or none
    Unset {
        /// The keys
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Print the value of a key, exactly as it is
    Get {
        key: String,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// List the keys, sorted
    Keys {
        /// `text`: one key per line, control characters escaped; `json`: an array with the exact keys
        #[arg(long, default_value = "text")]
        format: KeysFormat,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Write all entries as JSON Lines: {"key": "…", "value": "<base64>"}
    Export {
        /// The file to write [default: standard output]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Set the entries of an export, all of them or none
    Import {
        /// The file to read [default: standard input]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
    /// Remove the records of old prompts and models; the app will ask the model about their sentences again
    Prune {
        /// Also remove records that are older than this: 90d, 12h, 2weeks
        #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
        older_than: Option<Duration>,
        /// Only show what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        target: TargetArguments,
        #[command(flatten)]
        location: LocationArguments,
    },
}

/// Which store: by name, or by label and app.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// The store: a name, a path to its file, or a redis:// URL
    #[arg(short, long, value_parser = not_empty, required_unless_present = "label", conflicts_with_all = ["label", "app"])]
    store: Option<String>,
    /// The label under which an app opens the store
    #[arg(short, long, value_parser = not_empty)]
    label: Option<String>,
    /// The app that uses the label [default: the one in this folder]
    #[arg(short, long, value_parser = not_empty, requires = "label")]
    app: Option<String>,
}

impl From<TargetArguments> for Target {
    fn from(arguments: TargetArguments) -> Self {
        match (arguments.label, arguments.store) {
            (Some(label), _) => Self::Label { label, app: arguments.app },
            (None, store) => Self::Store(store.unwrap_or_default()),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GroupBy {
    App,
    Store,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ListFormat {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KeysFormat {
    Text,
    Json,
}

impl KvCommand {
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        match self {
            Self::Create { name, redis, location } => {
                kv::create::run(&name, redis.as_deref(), &location.into(), printer)
            }
            Self::Copy { source, target, overwrite, location } => {
                kv::copy::run(&source, &target, overwrite, &location.into(), printer)
            }
            Self::Delete { name, yes, location } => kv::delete::run(&name, yes, &location.into(), printer),
            Self::Rename { name, new_name, location } => {
                kv::rename::run(&name, &new_name, &location.into(), printer)
            }
            Self::List { app, store, group_by, format, location } => {
                let shape = match (format, group_by) {
                    (ListFormat::Json, None) => kv::list::Shape::Json,
                    (ListFormat::Json, Some(_)) => return Err(kv::list::grouped_json()),
                    (ListFormat::Table, None | Some(GroupBy::App)) => kv::list::Shape::ByApp,
                    (ListFormat::Table, Some(GroupBy::Store)) => kv::list::Shape::ByStore,
                };
                kv::list::run(&kv::list::Filter { app, store }, shape, &location.into(), printer)
            }
            Self::Set { pairs, target, location } => {
                kv::set::run(&pairs, &target.into(), &location.into(), printer)
            }
            Self::Unset { keys, target, location } => {
                kv::unset::run(&keys, &target.into(), &location.into(), printer)
            }
            Self::Get { key, target, location } => {
                kv::get::run(&key, &target.into(), &location.into(), printer)
            }
            Self::Keys { format, target, location } => {
                let json = matches!(format, KeysFormat::Json);
                kv::keys::run(json, &target.into(), &location.into(), printer)
            }
            Self::Export { file, target, location } => {
                kv::export::run(file.as_deref(), &target.into(), &location.into(), printer)
            }
            Self::Import { file, target, location } => {
                kv::import::run(file.as_deref(), &target.into(), &location.into(), printer)
            }
            Self::Prune { older_than, dry_run, yes, target, location } => {
                let prune = kv::prune::Prune { older_than, dry_run, yes };
                kv::prune::run(prune, &target.into(), &location.into(), printer)
            }
        }
    }
}

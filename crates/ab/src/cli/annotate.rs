//! `annotate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{LocationArguments, not_empty};
use crate::commands::annotate::{Annotate, Way};

const AFTER_HELP: &str = "\
Sentences come one at a time, in random order. Press 1 for positive, 2 for neutral, 3 for negative, s if you cannot tell,
u to undo, q to quit. Each annotation is saved at once. Keys can also be piped in: printf 13su | ab annotate.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AnnotateArguments {
    /// The annotator's name [default: the app's variable `annotator_user` or `kv_explorer_user`, or else $USER]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    annotator: Option<String>,
    #[command(flatten)]
    way: WayArguments,
    #[command(flatten)]
    location: LocationArguments,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct WayArguments {
    /// Show the sentences on which annotators disagree, and what each of them said
    #[arg(long)]
    disputed: bool,
    /// Write the waiting sentences as CSV for a spreadsheet, in random order; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    export: Option<PathBuf>,
    /// Read annotations from such a file, skipping rows without one; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    import: Option<PathBuf>,
    /// Write the annotations of other sentences, which decide nothing live, as a data set for `eval`: CSV, or JSON Lines if the name
    /// ends in .jsonl; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    export_dataset: Option<PathBuf>,
}

impl From<AnnotateArguments> for Annotate {
    fn from(arguments: AnnotateArguments) -> Self {
        let WayArguments { disputed, export, import, export_dataset } = arguments.way;
        let way = match (export, import, export_dataset) {
            (Some(file), _, _) => Way::Export(file),
            (_, Some(file), _) => Way::Import(file),
            (_, _, Some(file)) => Way::ExportDataset(file),
            _ if disputed => Way::Disputed,
            _ => Way::Waiting,
        };
        Self { location: arguments.location.into(), annotator: arguments.annotator, way }
    }
}

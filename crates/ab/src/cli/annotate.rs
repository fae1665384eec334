//! `annotate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{LocationArguments, not_empty};
use crate::commands::annotate::{Annotate, Way};

const AFTER_HELP: &str = "\
One sentence at a time, in random order: press 1 for positive, 2 for neutral, 3 for negative, s if you cannot tell, u to take the last
one back, q to quit. What you have said is kept at once. The keys may come from a pipe as well: printf 13su | ab annotate.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AnnotateArguments {
    /// Who says so [default: the app's variable `annotator_user` or `kv_explorer_user`, or else $USER]
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
    /// Show the sentences of which people say different things, and what they say
    #[arg(long)]
    disputed: bool,
    /// Write the sentences that wait as CSV, in random order, for a spreadsheet; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    export: Option<PathBuf>,
    /// Read annotations from such a file; rows without any are left out. `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    import: Option<PathBuf>,
    /// Write the annotations of other sentences, which decide nothing live, as data for `eval`: CSV, or JSON Lines if the name ends in
    /// .jsonl; `-` is standard output
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

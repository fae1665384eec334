//! `report`: what live observations and people's corrections say.

mod csv;
mod events;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use experiment::presentation::{Presentation, Table};
use serde::Serialize;

use self::events::Assignments;
use crate::results::live::{Live, gather};
use crate::results::{output, page, tables};
use crate::terminal::{Printer, Warning, failure};
use crate::workspace::{Location, Workspace};

/// The log that the embedded runtime keeps, and Spin as well, below the app's folder.
const LOG: &str = ".spin/logs/sentiment-analysis_stdout.txt";

/// What to report, and how.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) location: Location,
    /// The model whose observations count, if it is not the app's.
    pub(crate) model: Option<String>,
    /// The request log; `-` is standard input.
    pub(crate) events: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
}

/// What a report looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people at a terminal.
    Table,
    /// All of it, as data.
    Json,
    /// One line per number.
    Csv,
    /// One page that needs nothing else.
    Html,
}

/// The results as data, in numbers and words.
#[derive(Serialize)]
struct Document<'a> {
    app: &'a str,
    /// The stores of the variants, in their order.
    stores: Vec<String>,
    model_note: String,
    #[serde(flatten)]
    report: experiment::analysis::Report,
    presentation: Presentation,
}

/// Reads the stores of the app's variants and reports.
///
/// # Errors
///
/// The app has no experiment, a store or the log cannot be read, or the report cannot be written.
pub(crate) fn run(settings: &Report, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&settings.location)?;
    let mut live = gather(&workspace, settings.model.as_deref(), printer)?;
    match &settings.events {
        Some(log) => check_assignments(&mut live, log, printer)?,
        None if workspace.app.folder.join(LOG).is_file() && settings.format == Format::Table => {
            printer.message(format_args!("Assignments were not checked; --events {LOG} checks them."));
        }
        None => {}
    }
    let document = document(&workspace.app.name, &live);
    output::write(settings.output.as_deref(), printer, |out| match settings.format {
        Format::Table => {
            let winner = document.report.decision.as_ref().and_then(|decision| decision.winner.as_deref());
            let tables = tables::presentation(&document.presentation, winner);
            Ok(writeln!(out, "{}\n\n{tables}", fact(&document))?)
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &document)?;
            Ok(writeln!(out)?)
        }
        Format::Csv => csv::write(out, &document.report),
        Format::Html => {
            let title = format!("Which prompt is better? {}", document.app);
            page::write(out, &title, &[fact(&document)], &document)
        }
    })?;
    if settings.format == Format::Table {
        let notices = document.report.warnings.into_iter();
        notices.for_each(|notice| printer.warn(&Warning::Analysis(notice)));
    }
    Ok(())
}

fn document<'a>(app: &'a str, live: &Live) -> Document<'a> {
    let report = live.analysis.report();
    let mut presentation = Presentation::of(&report);
    let stores: Vec<String> = live.stores.iter().map(|store| store.shown.clone()).collect();
    presentation.variants.rows.insert(0, Table::row("Store", stores.clone()));
    Document { app, stores, model_note: live.model_note.clone(), report, presentation }
}

/// What the results are of.
fn fact(document: &Document<'_>) -> String {
    let model = document.report.variants.first().map_or("", |variant| &variant.model);
    format!("App {}, model {model}", document.app)
}

fn check_assignments(live: &mut Live, log: &Path, printer: Printer) -> anyhow::Result<()> {
    let shown = log.display().to_string();
    let Assignments { phases, elsewhere, by_visitor } = if shown == "-" {
        events::read(io::stdin().lock(), &live.experiment)?
    } else {
        let file = File::open(log).with_context(|| format!("cannot open the request log {shown}"))?;
        events::read(BufReader::new(file), &live.experiment)?
    };
    if by_visitor > 0 {
        printer.warn(&Warning::AssignedByVisitor { count: by_visitor });
    }
    if phases.is_empty() && by_visitor == 0 {
        return Err(failure(format!("{shown} has no request with the variant it was assigned to"))
            .hint(format!("the app logs its requests to standard output, which `up` keeps in {LOG}"))
            .into());
    }
    if elsewhere > 0 {
        printer.warn(&Warning::AssignedElsewhere { log: shown, count: elsewhere });
    }
    for phase in phases {
        live.analysis.add_phase(phase);
    }
    Ok(())
}

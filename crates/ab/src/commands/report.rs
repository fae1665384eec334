//! `report`: what live observations and people's corrections say.

mod csv;
mod events;
pub(crate) mod gather;
pub(crate) mod html;
pub(crate) mod output;
pub(crate) mod table;
pub(crate) mod words;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use self::events::Assignments;
use self::gather::{Live, gather};
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
    /// A line for each number.
    Csv,
    /// One page that needs nothing else.
    Html,
}

/// The report as data.
#[derive(Serialize)]
struct Document<'a> {
    app: &'a str,
    /// The stores of the variants, in their order.
    stores: Vec<&'a str>,
    #[serde(flatten)]
    report: &'a experiment::analysis::Report,
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
            printer.message(format_args!("Assignments were not checked: --events {LOG} does."));
        }
        None => {}
    }
    let report = live.analysis.report();
    let app = &*workspace.app.name;
    let stores: Vec<&str> = live.stores.iter().map(|store| &*store.shown).collect();
    output::write(settings.output.as_deref(), printer, |out| match settings.format {
        Format::Table => Ok(writeln!(out, "{}", tables(app, &stores, &report))?),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &Document { app, stores, report: &report })?;
            Ok(writeln!(out)?)
        }
        Format::Csv => csv::write(out, &report),
        Format::Html => Ok(out.write_all(page(app, &stores, &report).as_bytes())?),
    })?;
    if settings.format == Format::Table {
        report.warnings.iter().for_each(|notice| printer.warn(&Warning::Analysis(notice.clone())));
    }
    Ok(())
}

fn check_assignments(live: &mut Live, log: &Path, printer: Printer) -> anyhow::Result<()> {
    let shown = log.display().to_string();
    let Assignments { phases, elsewhere } = if shown == "-" {
        events::read(io::stdin().lock(), &live.experiment)?
    } else {
        let file = File::open(log).with_context(|| format!("cannot open the request log {shown}"))?;
        events::read(BufReader::new(file), &live.experiment)?
    };
    if phases.is_empty() {
        return Err(failure(format!("{shown} says of no request which variant it was assigned"))
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

/// What is to be known of each variant beside its metrics.
fn about(stores: &[&str], report: &experiment::analysis::Report) -> Vec<(String, Vec<String>)> {
    let each = |cell: &dyn Fn(&experiment::analysis::VariantReport) -> String| {
        report.variants.iter().map(cell).collect::<Vec<_>>()
    };
    vec![
        ("Store".to_owned(), stores.iter().map(|store| (*store).to_owned()).collect()),
        ("Prompt".to_owned(), each(&|it| it.fingerprint.to_string())),
        ("Weight".to_owned(), each(&|it| it.weight.to_string())),
        ("Observations".to_owned(), each(&|it| words::count(it.n))),
    ]
}

fn tables(app: &str, stores: &[&str], report: &experiment::analysis::Report) -> String {
    let model = report.variants.first().map_or("", |variant| &variant.model);
    let mut parts =
        vec![format!("App {app}, model {model}\n{}", table::variants(report, about(stores, report)))];
    for variant in report.variants.iter().filter(|variant| variant.accuracy.is_some()) {
        parts.push(format!("Corrected observations of {}\n{}", variant.label, table::confusion(variant)));
    }
    parts.extend(
        report.comparisons.iter().map(|comparison| table::comparison(comparison).trim_end().to_owned()),
    );
    if report.comparisons.len() > 1 {
        parts
            .extend(report.decision.as_ref().map(|decision| format!("Of all: {}", words::verdict(decision))));
    }
    parts.extend(report.sample_ratio.iter().map(table::sample_ratio));
    parts.join("\n\n")
}

fn page(app: &str, stores: &[&str], report: &experiment::analysis::Report) -> String {
    let model = report.variants.first().map_or("", |variant| &variant.model);
    let title = format!("Which prompt is better? {app}");
    let parts = [
        html::head(&title, &[format!("Model {model}")]),
        html::report(report, &about(stores, report)),
        html::method(report),
    ];
    parts.into_iter().map(maud::Markup::into_string).chain([html::TAIL.to_owned()]).collect()
}

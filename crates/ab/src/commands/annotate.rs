//! `annotate`: people say what is right for sentences on which the prompts differ.
//!
//! - [`journal`]: the app's journal
//! - [`session`]: one sentence at a time, by single [`keys`]
//! - [`sheet`]: to a spreadsheet and back
//! - [`dataset`]: annotations that decide nothing live, for `eval`

mod dataset;
mod journal;
mod keys;
mod session;
mod sheet;

use std::env;
use std::path::{Path, PathBuf};

use self::journal::AppJournal;
use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Workspace};

/// The variables of the app that may name who annotates.
const USERS: [&str; 2] = ["annotator_user", "kv_explorer_user"];

/// Who annotates what, and how.
#[derive(Debug, Clone)]
pub(crate) struct Annotate {
    pub(crate) location: Location,
    /// Whose annotations they are, if it is not the user that the app's variables name.
    pub(crate) annotator: Option<String>,
    pub(crate) way: Way,
}

/// How sentences come to a person, and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// One at a time, those that wait.
    Waiting,
    /// One at a time, those of which people say different things.
    Disputed,
    /// All that wait, to this file.
    Export(PathBuf),
    /// All that this file says.
    Import(PathBuf),
    /// What decides nothing, to this file.
    ExportDataset(PathBuf),
}

/// Annotates in one of these ways.
///
/// # Errors
///
/// The app has no experiment or no journal, nobody is known to annotate, a store or a file cannot be read or written, or a person
/// broke off.
pub(crate) fn run(annotate: &Annotate, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(&annotate.location)?;
    let journal = AppJournal::open(&workspace, printer)?;
    let who = || annotator(annotate.annotator.as_deref(), &workspace);
    match &annotate.way {
        Way::Waiting => session::waiting(&journal, &who()?, printer),
        Way::Disputed => session::disputed(&journal, &who()?, printer),
        Way::Export(file) => sheet::export(&journal, file_of(file), printer),
        Way::Import(file) => sheet::import(&journal, file_of(file), &who()?, printer),
        Way::ExportDataset(file) => dataset::export(&journal, file_of(file), printer),
    }
}

/// `None` for `-`, which is standard input or output.
fn file_of(file: &Path) -> Option<&Path> {
    Some(file).filter(|file| *file != Path::new("-"))
}

/// The name given, or else the first that the app signs in with, or else the user of this machine.
fn annotator(given: Option<&str>, workspace: &Workspace) -> anyhow::Result<String> {
    let of_app = || {
        let users = USERS.into_iter().filter_map(|variable| workspace.variable(variable));
        users
            .filter_map(|users| Some(users.split(',').next()?.trim().to_owned()))
            .find(|user| !user.is_empty())
    };
    let of_machine =
        || ["USER", "USERNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|it| !it.is_empty()));
    given
        .map(str::to_owned)
        .or_else(of_app)
        .or_else(of_machine)
        .ok_or_else(|| failure("the annotator is not known").hint("name one with --annotator").into())
}

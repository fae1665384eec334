//! `link key-value`.

use crate::terminal::{Printer, ask, failure};
use crate::workspace::{Location, Workspace};

/// A link to make.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) app: Option<String>,
    pub(crate) store: String,
    /// Change a link that leads elsewhere without asking.
    pub(crate) yes: bool,
}

/// Makes a label mean a store, and the store's rows carry the label.
///
/// # Errors
///
/// The store does not exist or cannot be opened, is linked that way already, or is linked with another label; or a
/// person says no. Nothing was changed then.
pub(crate) fn run(link: &Link, location: &Location, printer: Printer) -> anyhow::Result<()> {
    let mut workspace = Workspace::open_to_change(location)?;
    workspace.expect_app(link.app.as_deref())?;
    let may_change = |question: &str| if link.yes { Ok(true) } else { confirmed(question) };
    workspace.link(&link.label, &link.store, may_change, printer)
}

fn confirmed(question: &str) -> anyhow::Result<bool> {
    if ask::can_ask() {
        return ask::confirm(question);
    }
    let statement = question.split(". Change").next().unwrap_or(question);
    Err(failure(statement).hint("pass --yes to change the link; nothing was changed").into())
}

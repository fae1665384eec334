//! `promote`: one variant's prompt for all, by links alone.
//!
//! Every label that takes part is linked to the winner's store, so that each answer comes from the winner's prompt while
//! the app goes on as it is: its labels stay linked, on either runtime, and no line of its code or manifest changes. Where
//! the store is an SQLite file, whose entries can have one label only, the other labels get a store of their own with
//! the same prompt. The former stores keep all they hold, and linking them again is the way back.

use experiment::analysis::Status;
use experiment::presentation::Presentation;
use experiment::{PROMPT_KEY, Prompt};
use sentiment::DEFAULT_PROMPT;
use spin_app::StoreAddress;
use stores::StoreName;

use crate::results::live::{Live, gather};
use crate::terminal::{Printer, Warning, ask, failure, program};
use crate::workspace::{Location, ResolvedStore, Target, Workspace};

/// What to promote.
#[derive(Debug, Clone)]
pub(crate) struct Promote {
    pub(crate) label: String,
    pub(crate) app: Option<String>,
    /// Do not ask, even if nothing proves that this variant is better.
    pub(crate) yes: bool,
    pub(crate) location: Location,
}

/// A label to link, and what it means so far.
struct Change {
    label: String,
    former: String,
    store: String,
    /// The store has to be made first.
    new: bool,
}

/// Links every label of the experiment to the prompt of one of them, and says how to go back.
///
/// # Errors
///
/// The label is not a variant, the observations do not show that it is better and nobody confirms it anyway, or a store
/// or link cannot be made; links made before that stay.
pub(crate) fn run(promote: &Promote, printer: Printer) -> anyhow::Result<()> {
    let Promote { label, yes, location, .. } = promote;
    let workspace = Workspace::open(location)?;
    workspace.expect_app(promote.app.as_deref())?;
    let app = workspace.app.name.clone();
    let live = gather(&workspace, None, printer)?;
    let Some(winner) = live.experiment.position(label) else {
        let labels: Vec<&str> = live.experiment.variants().iter().map(experiment::Variant::label).collect();
        return Err(failure(format!("\"{label}\" is not a variant in the experiment of app \"{app}\""))
            .hint(format!("its variants: {}", labels.join(", ")))
            .into());
    };
    let changes = changes(&workspace, &live, winner)?;
    if changes.is_empty() {
        printer.message(format_args!(
            "Every label of app \"{app}\" already answers with the prompt of \"{label}\""
        ));
        return Ok(());
    }
    if !agreed(&live, label, *yes, printer)? {
        printer.message("The links have not been updated");
        return Ok(());
    }
    drop(workspace);
    let winner = &live.prompts[winner];
    for change in &changes {
        make(change, winner, location, printer)?;
        let mut workspace = Workspace::open_to_change(location)?;
        workspace.link(&change.label, &change.store, |_| Ok(true), printer)?;
    }
    say_how_to_go_back(&changes, label, &app, printer);
    Ok(())
}

/// What has to change so that every label answers with the winner's prompt.
fn changes(workspace: &Workspace, live: &Live, winner: usize) -> anyhow::Result<Vec<Change>> {
    let others = live.experiment.variants().iter().zip(&live.stores).zip(&live.prompts).enumerate();
    let (prompt, store) = (&live.prompts[winner], &live.stores[winner]);
    let mut changes: Vec<Change> = Vec::new();
    for (index, ((variant, former), its_prompt)) in others {
        if index == winner || its_prompt.fingerprint() == prompt.fingerprint() {
            continue;
        }
        let label = variant.label();
        let (store, new) = match &store.address {
            // A database has no labels: all of them can mean the same one.
            StoreAddress::Redis(url) => (url.clone(), false),
            _ => store_of_its_own(workspace, store, label, prompt)?,
        };
        let former = match &former.address {
            StoreAddress::Redis(url) if workspace.find(&Target::Store(former.shown.clone())).is_err() => {
                url.clone()
            }
            _ => former.shown.clone(),
        };
        changes.push(Change { label: label.to_owned(), former, store, new });
    }
    Ok(changes)
}

/// The store in which `label` finds the winner's prompt: `WINNER-LABEL`, or with a number behind it where that name is
/// taken. One that holds the prompt and is not linked was left by an earlier promotion, and serves again.
fn store_of_its_own(
    workspace: &Workspace,
    winner: &ResolvedStore,
    label: &str,
    prompt: &Prompt,
) -> anyhow::Result<(String, bool)> {
    let fits = |text: &str| {
        text.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect::<String>()
    };
    let base = match &winner.address {
        StoreAddress::Sqlite(path) => {
            path.file_stem().map(|stem| fits(&stem.to_string_lossy())).unwrap_or_default()
        }
        _ => fits(&winner.shown),
    };
    let names = workspace.stores.names()?;
    let base: String = format!("{base}-{}", fits(label)).trim_matches('-').chars().take(60).collect();
    for number in 1_u32.. {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let parsed = StoreName::parse(&name)?;
        let taken = names.keys().find(|other| other.as_str().eq_ignore_ascii_case(parsed.as_str()));
        let Some(taken) = taken else { return Ok((name, true)) };
        let found = workspace.find(&Target::Store(taken.to_string()))?;
        let unlinked = workspace.labels_of(&found.address).is_empty();
        if unlinked
            && prompt_in(workspace, &found)?.is_some_and(|it| it.fingerprint() == prompt.fingerprint())
        {
            return Ok((taken.to_string(), false));
        }
    }
    Err(failure(format!("no free name is left for a store of \"{label}\"")).into())
}

fn prompt_in(workspace: &Workspace, found: &ResolvedStore) -> anyhow::Result<Option<Prompt>> {
    let value = workspace.open_store(found, Printer)?.get(PROMPT_KEY)?;
    Ok(value.map(|value| Prompt::from_store(Some(value), DEFAULT_PROMPT)))
}

/// Whether to go on: at once if the observations name this variant, else if a person wants it anyway.
fn agreed(live: &Live, label: &str, yes: bool, printer: Printer) -> anyhow::Result<bool> {
    let report = live.analysis.report();
    let Some(decision) = &report.decision else { return Ok(true) };
    let conclusion = Presentation::of(&report).conclusion;
    let conclusion = format!("{}. {}", conclusion.heading, conclusion.text);
    if decision.status == Status::Decided && decision.winner.as_deref() == Some(label) {
        printer.message(conclusion);
        return Ok(true);
    }
    let warning = Warning::NotProven { label: label.to_owned(), conclusion };
    if yes {
        printer.warn(&warning);
        return Ok(true);
    }
    if !ask::can_ask() {
        return Err(failure(warning.message()).hint("nothing was changed; --yes promotes it anyway").into());
    }
    printer.warn(&warning);
    ask::confirm(&format!("Promote \"{label}\" anyway?"))
}

/// Makes the store with the prompt in it, before any link leads there.
fn make(change: &Change, prompt: &Prompt, location: &Location, printer: Printer) -> anyhow::Result<()> {
    if !change.new {
        return Ok(());
    }
    Workspace::open_to_change(location)?.create_store(&change.store, None, printer)?;
    let workspace = Workspace::open(location)?;
    let found = workspace.find(&Target::Store(change.store.clone()))?;
    let entry = (PROMPT_KEY.to_owned(), prompt.text().as_bytes().to_vec());
    Ok(workspace.open_store(&found, printer)?.set(vec![entry])?)
}

fn say_how_to_go_back(changes: &[Change], label: &str, app: &str, printer: Printer) {
    let program = program();
    printer.message(format_args!(
        "\nEvery label of app \"{app}\" now answers with the prompt of \"{label}\". To go back:"
    ));
    for Change { label, former, .. } in changes {
        printer
            .message(format_args!("  {program} link key-value {label} --app {app} --store {former} --yes"));
    }
    for Change { store, .. } in changes.iter().filter(|change| change.new) {
        printer.message(format_args!("  {program} kv delete {store} --yes"));
    }
    printer.message(
        "On Spin, restart the app for this to take effect. To serve one label only from the next start on, \
         set the variable \"variants\" to it.",
    );
}

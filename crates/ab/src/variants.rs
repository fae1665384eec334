//! The prompts that the model is asked with, and where they come from.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use experiment::{Origin, PLACEHOLDER, PROMPT_KEY, Prompt};
use sentiment::DEFAULT_PROMPT;
use spin_app::StoreAddress;

use crate::prepare::seed;
use crate::terminal::{Printer, Warning, failure, program};
use crate::workspace::{Target, Workspace};

/// Where a prompt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Under the key `prompt` of a store.
    Store(String),
    /// Under the key `prompt` of the store that a label means.
    Label(String),
    /// A text file.
    File(PathBuf),
}

/// A prompt that takes part.
#[derive(Debug)]
pub(crate) struct Variant {
    /// What it is called: the store, the label, or the file's name.
    pub(crate) name: String,
    /// Where its prompt is: the store or the file.
    pub(crate) from: String,
    pub(crate) prompt: Prompt,
}

/// Finds the prompts; without any source, those of the app's links. `baseline` takes part even if no source names it, and
/// its place is told.
///
/// # Errors
///
/// A source is not there or holds no prompt, two have one name, or there are none.
pub(crate) fn find(
    workspace: &Workspace,
    sources: &[Source],
    baseline: Option<&str>,
    printer: Printer,
) -> anyhow::Result<(Vec<Variant>, Option<usize>)> {
    if sources.iter().any(|source| !matches!(source, Source::File(_))) {
        seed_new_stores(workspace, printer)?;
    }
    let mut variants = Vec::new();
    for source in sources {
        variants.push(read(workspace, source, printer)?);
    }
    if sources.is_empty() {
        variants = linked(workspace, printer)?;
    }
    let baseline = match baseline {
        Some(baseline) => Some(place_of(baseline, &mut variants, workspace, printer)?),
        None => None,
    };
    for (index, variant) in variants.iter().enumerate() {
        if variants[..index].iter().any(|earlier| earlier.name == variant.name) {
            return Err(failure(format!("two prompts are called \"{}\"", variant.name))
                .hint("give each prompt once, and give files different names")
                .into());
        }
    }
    if variants.is_empty() {
        return Err(failure("there is no prompt to evaluate: no label is linked to a store with a prompt")
            .hint("name prompts with --store, --label or --prompt-file")
            .into());
    }
    Ok((variants, baseline))
}

/// The place of the variant that is called `baseline`, or whose prompt is in the store of that name; else it is added.
fn place_of(
    baseline: &str,
    variants: &mut Vec<Variant>,
    workspace: &Workspace,
    printer: Printer,
) -> anyhow::Result<usize> {
    let store = from_store(baseline);
    let known = variants.iter().position(|variant| variant.name == baseline || variant.from == store);
    if let Some(place) = known {
        return Ok(place);
    }
    variants.insert(0, read(workspace, &Source::Store(baseline.to_owned()), printer)?);
    Ok(0)
}

fn from_store(shown: &str) -> String {
    format!("store {shown}")
}

/// On a fresh clone the linked stores are not there yet: they get their prompts here, as `up` gives them on its first run.
fn seed_new_stores(workspace: &Workspace, printer: Printer) -> anyhow::Result<()> {
    let is_missing = |address: &StoreAddress| matches!(address, StoreAddress::Sqlite(path) if !path.exists());
    if !workspace.links().values().any(is_missing) {
        return Ok(());
    }
    seed::run(&workspace.app, &workspace.config.links, printer)
}

/// The prompts of the app's links, in the order of their labels.
///
/// # Errors
///
/// A store cannot be read.
pub(crate) fn linked(workspace: &Workspace, printer: Printer) -> anyhow::Result<Vec<Variant>> {
    seed_new_stores(workspace, printer)?;
    let mut variants = Vec::new();
    for (label, address) in workspace.links() {
        if matches!(address, StoreAddress::Cloud(_) | StoreAddress::Elsewhere(_)) {
            continue;
        }
        let found = workspace.find(&Target::Label { label: label.clone(), app: None })?;
        if let Some(value) = workspace.open_store(&found, printer)?.get(PROMPT_KEY)? {
            let prompt = Prompt::from_store(Some(value), DEFAULT_PROMPT);
            warn_of_default(&prompt, &found.shown, printer);
            variants.push(Variant { name: label, from: from_store(&found.shown), prompt });
        }
    }
    variants.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(variants)
}

fn read(workspace: &Workspace, source: &Source, printer: Printer) -> anyhow::Result<Variant> {
    let (name, target) = match source {
        Source::File(path) => {
            let shown = path.display();
            let text = fs::read(path).with_context(|| format!("cannot read the prompt {shown}"))?;
            let prompt = Prompt::from_store(Some(text), DEFAULT_PROMPT);
            if *prompt.origin() != Origin::Store {
                return Err(failure(format!(
                    "{shown} is not a prompt: it needs to be UTF-8 and to contain {PLACEHOLDER}"
                ))
                .hint(format!("put {PLACEHOLDER} where the sentence belongs"))
                .into());
            }
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            return Ok(Variant { name: name.unwrap_or_default(), from: shown.to_string(), prompt });
        }
        Source::Store(store) => (store, Target::Store(store.clone())),
        Source::Label(label) => (label, Target::Label { label: label.clone(), app: None }),
    };
    let found = workspace.find(&target)?;
    let value = workspace.open_store(&found, printer)?.get(PROMPT_KEY)?;
    if value.is_none() && matches!(source, Source::Store(_)) && found.label.is_none() {
        return Err(failure(format!("key value store \"{}\" has no prompt", found.shown))
            .hint(format!("`{} kv set --store {} prompt=@FILE` sets one", program(), found.shown))
            .into());
    }
    let prompt = Prompt::from_store(value, DEFAULT_PROMPT);
    warn_of_default(&prompt, &found.shown, printer);
    Ok(Variant { name: name.clone(), from: from_store(&found.shown), prompt })
}

/// What the app would do is what is measured; but that may be a surprise.
fn warn_of_default(prompt: &Prompt, store: &str, printer: Printer) {
    if let Origin::Default(reason) = prompt.origin() {
        printer.warn(&Warning::DefaultPrompt { store: store.to_owned(), reason: reason.to_string() });
    }
}

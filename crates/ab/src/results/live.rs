//! Live observations: from the stores of an experiment's variants to an analysis.

use std::sync::mpsc;
use std::thread;

use anyhow::anyhow;
use api::settings::model_note;
use experiment::analysis::{Analysis, CurrentVariant, Observation, Plan, join_sorted};
use experiment::journal::{self, Journal, Round};
use experiment::{Experiment, PROMPT_KEY, Prompt, Record, key};
use sentiment::{DEFAULT_PROMPT, Outcome};

use crate::terminal::{Printer, failure};
use crate::workspace::{OpenStore, ResolvedStore, Target, Workspace};

/// The variable of the app that says which labels take part.
pub(crate) const VARIANTS: &str = "variants";

/// The variable of the app that names the model.
const MODEL: &str = "model";

/// The variable of the app that says what people should know about the model.
const MODEL_NOTE: &str = "model_note";

/// How many records of a store wait to be counted.
const WAITING: usize = 256;

/// An experiment that runs, with what its stores hold.
pub(crate) struct Live {
    pub(crate) experiment: Experiment,
    /// The stores of the variants, in their order.
    pub(crate) stores: Vec<ResolvedStore>,
    /// The prompts in them, in the same order.
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) analysis: Analysis,
    /// What people should know about the model, or nothing.
    pub(crate) model_note: String,
}

/// The model that the app uses.
///
/// # Errors
///
/// Its manifest does not say.
pub(crate) fn model(workspace: &Workspace) -> anyhow::Result<String> {
    let model = workspace.variable(MODEL).map(|model| model.trim().to_owned());
    model.filter(|model| !model.is_empty()).ok_or_else(|| {
        failure(format!("app \"{}\" has no variable \"{MODEL}\" that names its model", workspace.app.name))
            .hint("name it with --model")
            .into()
    })
}

/// Reads what the variants' stores hold, in memory that does not grow with it.
///
/// # Errors
///
/// The manifest names no experiment, a label is not linked, or a store cannot be read.
pub(crate) fn gather(workspace: &Workspace, model: Option<&str>, printer: Printer) -> anyhow::Result<Live> {
    let experiment = experiment(workspace)?;
    let model = model.map_or_else(|| self::model(workspace), |model| Ok(model.to_owned()))?;
    let (mut stores, mut prompts, mut opened, mut current) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for variant in experiment.variants() {
        let label = variant.label();
        let found = workspace.find(&Target::Label { label: label.to_owned(), app: None })?;
        let store = workspace.open_store(&found, printer)?;
        let prompt = Prompt::from_store(store.get(PROMPT_KEY)?, DEFAULT_PROMPT);
        current.push(CurrentVariant::new(label, variant.weight(), prompt.fingerprint(), &*model));
        stores.push(found);
        prompts.push(prompt);
        opened.push(store);
    }
    let mut analysis = Analysis::new(Outcome::in_analysis(), current, Plan::default());
    count(opened, &mut analysis)?;
    if workspace.links().contains_key(journal::LABEL) {
        let found = workspace.find(&Target::Label { label: journal::LABEL.to_owned(), app: None })?;
        let journal = Journal::new(workspace.open_store(&found, printer)?);
        analysis.judge(journal.evidence(analysis.round())?);
    }
    let model_note = model_note(&workspace.variable(MODEL_NOTE).unwrap_or_default(), &model);
    Ok(Live { experiment, stores, prompts, analysis, model_note })
}

/// The prompts that the variants of the app have right now.
///
/// # Errors
///
/// The manifest names no experiment or model, a label is not linked, or a store cannot be read.
pub(crate) fn round(workspace: &Workspace, printer: Printer) -> anyhow::Result<Round> {
    let model = model(workspace)?;
    let experiment = experiment(workspace)?;
    let prompts = experiment.variants().iter().map(|variant| {
        let found = workspace.find(&Target::Label { label: variant.label().to_owned(), app: None })?;
        let value = workspace.open_store(&found, printer)?.get(PROMPT_KEY)?;
        anyhow::Ok(Prompt::from_store(value, DEFAULT_PROMPT).fingerprint())
    });
    Ok(Round::new(prompts.collect::<anyhow::Result<Vec<_>>>()?, &model))
}

/// The experiment of the app; in one without the variable, every label that is linked but the journal's.
///
/// # Errors
///
/// The variable cannot be used, or nothing is linked.
pub(crate) fn experiment(workspace: &Workspace) -> anyhow::Result<Experiment> {
    if let Some(variants) = workspace.variable(VARIANTS) {
        return variants.parse().map_err(|error| {
            failure(format!(
                "app \"{}\" has a variable \"{VARIANTS}\" that cannot be used: {error}",
                workspace.app.name
            ))
            .hint("write labels with optional weights: promptstore1=90,promptstore2=10")
            .into()
        });
    }
    let labels: Vec<String> = workspace.links().into_keys().filter(|label| label != journal::LABEL).collect();
    labels.join(",").parse().map_err(|_| {
        failure(format!(
            "app \"{}\" has no variable \"{VARIANTS}\", and no label is linked",
            workspace.app.name
        ))
        .into()
    })
}

/// Reads the stores side by side, each on a thread of its own, so that for each key what they all hold is known at once.
fn count(stores: Vec<OpenStore>, analysis: &mut Analysis) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let mut readers = Vec::new();
        let mut streams = Vec::new();
        for store in stores {
            let (send, receive) = mpsc::sync_channel(WAITING);
            readers.push(scope.spawn(move || {
                store.for_each(|key, value| {
                    if !key::is_reserved(key)
                        && let Some(record) = Record::<Outcome>::from_json(value)
                    {
                        send.send((key.to_owned(), record))?;
                    }
                    Ok(())
                })
            }));
            streams.push(receive);
        }
        for (_, records) in join_sorted(streams) {
            let name = |outcome: &Outcome| outcome.as_str();
            let observed =
                records.iter().map(|(variant, record)| (*variant, Observation::of_record(record, name)));
            analysis.observe_together(&observed.collect::<Vec<_>>());
        }
        readers.into_iter().try_for_each(|reader| {
            reader.join().map_err(|_| anyhow!("a store could not be read to the end"))?.map(drop)
        })
    })
}

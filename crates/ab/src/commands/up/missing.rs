//! Labels that the app opens and that no link leads from.

use stores::StoreName;

use crate::terminal::{Failure, Printer, ask, failure, program};
use crate::workspace::{Location, Workspace};

/// Makes sure that every label of the app is linked. At a terminal it asks, label by label, as `spin cloud deploy` does:
/// link an existing store, or create one.
///
/// # Errors
///
/// A label is not linked and there is nobody to ask: the hint is the command that links it. Or a person broke off, or a
/// link could not be made; the links made before stay.
pub(crate) fn ask_or_explain(location: &Location, printer: Printer) -> anyhow::Result<()> {
    let workspace = Workspace::open(location)?;
    let app = workspace.app.name.clone();
    let links = workspace.links();
    let missing = workspace.app.labels().into_iter().filter(|label| !links.contains_key(*label));
    let missing: Vec<String> = missing.map(str::to_owned).collect();
    drop(workspace);
    if !missing.is_empty() && !ask::can_ask() {
        return Err(not_linked(&app, &missing).into());
    }
    for label in missing {
        let store = choose(&app, &label, location, printer)?;
        Workspace::open_to_change(location)?.link(&label, &store, |_| Ok(false), printer)?;
    }
    Ok(())
}

fn not_linked(app: &str, labels: &[String]) -> Failure {
    let quoted: Vec<String> = labels.iter().map(|label| format!("\"{label}\"")).collect();
    let message = match &quoted[..] {
        [label] => format!("app \"{app}\" accesses a key value store labeled {label}, which is not linked"),
        _ => format!(
            "app \"{app}\" accesses key value stores labeled {}, which are not linked",
            quoted.join(" and ")
        ),
    };
    let command =
        |label: &String| format!("`{} link key-value {label} --app {app} --store STORE`", program());
    let commands: Vec<String> = labels.iter().map(command).collect();
    failure(message).hint(format!("{}; `{} kv list` shows the stores", commands.join(" and "), program()))
}

fn choose(app: &str, label: &str, location: &Location, printer: Printer) -> anyhow::Result<String> {
    let workspace = Workspace::open(location)?;
    let names = workspace.stores.names()?;
    drop(workspace);
    let names: Vec<String> = names.into_keys().map(|name| name.to_string()).collect();
    let question = format!(
        "App \"{app}\" accesses a key value store labeled \"{label}\"\n    \
         Would you like to link an existing key value store or create a new key value store?"
    );
    let choices = [
        "Use an existing key value store and link app to it",
        "Create a new key value store and link the app to it",
    ];
    let create = names.is_empty() || ask::select(&question, &choices.map(str::to_owned), 1)? == 1;
    if create {
        printer.message(format_args!(
            "The app \"{app}\" will refer to the new key value store by the label \"{label}\"."
        ));
        let free = StoreName::parse(label).is_ok() && !names.iter().any(|name| name == label);
        let name =
            ask::line("What would you like to name your key value store?", free.then(|| label.to_owned()))?;
        Workspace::open_to_change(location)?.create_store(&name, None, printer)?;
        return Ok(name);
    }
    let question =
        format!("Which key value store would you like to link to {app} using the label \"{label}\"");
    let chosen = ask::select(&question, &names, 0)?;
    names.into_iter().nth(chosen).ok_or_else(|| failure("no key value store was chosen").into())
}

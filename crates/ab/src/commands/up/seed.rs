//! The first run: each new store gets the prompt that bears its name.

use std::fs;

use anyhow::Context as _;
use spin_app::{RuntimeConfig, StoreAddress};
use stores::Store;

use crate::terminal::Printer;
use crate::workspace::App;

/// The key that holds a prompt.
const PROMPT: &str = experiment::PROMPT_KEY;

/// Puts `prompts/NAME.txt` under the key `prompt` of each linked store `NAME.db` that holds nothing at all. A store
/// whose prompt somebody deleted is not new.
///
/// # Errors
///
/// A prompt cannot be read, or a store cannot be opened or written.
pub(crate) fn run(app: &App, config: &RuntimeConfig, printer: Printer) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (label, store) in &config.stores {
        let StoreAddress::Sqlite(path) = store else { continue };
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let prompt = app.folder.join("prompts").join(format!("{name}.txt"));
        if !prompt.is_file() {
            continue;
        }
        let text = fs::read(&prompt).with_context(|| format!("cannot read {}", prompt.display()))?;
        let seeded = runtime.block_on(async {
            let store = Store::sqlite(path, label)?;
            let (keys, _) = store.keys_page(None, 1).await?;
            let new = keys.is_empty();
            if new {
                store.set(PROMPT, text).await?;
            }
            store.close().await;
            Ok::<_, stores::StoreError>(new)
        });
        if seeded.with_context(|| format!("cannot seed {}", path.display()))? {
            printer.step(
                "Seeded",
                format_args!("key value store \"{name}\" with the prompt of prompts/{name}.txt"),
            );
        }
    }
    Ok(())
}

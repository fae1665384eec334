//! `kv create`.

use spin_app::{StoreAddress, is_redis, without_password};
use stores::StoreName;

use crate::terminal::{Printer, failure, program};
use crate::workspace::{Location, OpenStore, Workspace};

/// Makes an empty `SQLite` store, or gives a Redis database a name.
///
/// # Errors
///
/// The name breaks the rule or is taken, or Redis does not answer.
pub(crate) fn run(
    name: &str,
    redis: Option<&str>,
    location: &Location,
    printer: Printer,
) -> anyhow::Result<()> {
    if is_redis(name) {
        return Err(failure("a Redis database does not have to be created: link its URL")
            .hint(format!(
                "to give it a name: `{} kv create NAME --redis {}`",
                program(),
                without_password(name)
            ))
            .into());
    }
    let name = StoreName::parse(name)?;
    let workspace = Workspace::open_to_change(location)?;
    if let Some(url) = redis {
        OpenStore::open(&StoreAddress::Redis(url.to_owned()), "")?.check()?;
    }
    workspace.stores.create(&name, redis)?;
    printer.message(format_args!("Key value store \"{name}\" created"));
    Ok(())
}

//! `kv create`.

use spin_app::{is_redis, without_password};

use crate::stores::{RedisStore, StoreName};
use crate::terminal::{Printer, failure};
use crate::workspace::{Location, Workspace};

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
        return Err(failure("a Redis database needs no creating: link it as it is")
            .hint(format!("to give it a name: kv create NAME --redis {}", without_password(name)))
            .into());
    }
    let name = StoreName::parse(name)?;
    let workspace = Workspace::open_to_change(location)?;
    if let Some(url) = redis {
        RedisStore::open(url)?;
    }
    workspace.stores.create(&name, redis, &workspace.config.links()?)?;
    printer.message(format_args!("Key value store \"{name}\" created"));
    Ok(())
}

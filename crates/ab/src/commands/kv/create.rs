//! `kv create`.

use spin_app::{CloudStore, is_redis, without_password};

use crate::terminal::{Printer, failure, program};
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
        return Err(failure("a Redis database does not have to be created; link its URL")
            .hint(format!(
                "to give it a name: `{} kv create NAME --redis {}`",
                program(),
                without_password(name)
            ))
            .into());
    }
    if CloudStore::parse(name).is_some() {
        return Err(failure("a cloud store is created with its provider; link its address")
            .hint(format!("`{} link key-value LABEL --store ADDRESS`", program()))
            .into());
    }
    Workspace::open_to_change(location)?.create_store(name, redis, printer)
}

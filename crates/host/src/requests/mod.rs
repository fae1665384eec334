//! How requests reach components: connections, routes, bodies, and a free instance for each.

pub(crate) mod body;
pub(crate) mod dispatch;
pub(crate) mod guarded;
pub(crate) mod open_files;
pub(crate) mod problem;
pub(crate) mod routing;
pub(crate) mod server;

//! How components run: instances on wasmtime, each one's imports, and the requests that it makes.

pub(crate) mod bindings;
pub(crate) mod caller;
pub(crate) mod compare_and_swap;
pub(crate) mod compiled;
pub(crate) mod component;
pub(crate) mod engine;
pub(crate) mod guest;
pub(crate) mod interfaces;
pub(crate) mod outbound;
pub(crate) mod outgoing;
pub(crate) mod workers;

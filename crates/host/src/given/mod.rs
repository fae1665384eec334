//! What an app's components are given: stores behind labels, a model, and a place to print to.

pub(crate) mod grants;
pub(crate) mod links;
pub mod models;
pub(crate) mod output;
pub(crate) mod reload;

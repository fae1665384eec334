//! The embedded runtime: runs a Spin app's HTTP components on wasmtime.
//!
//! It runs any app that keeps to what it supports, and refuses by name what needs Spin. [`App::load`] opens the stores and
//! compiles the components; [`App::serve`] serves until it is told to stop.

mod app;
mod error;

// What its components are given: links to stores, a model, and a place to print to.
mod links;
pub mod models;
mod output;
mod periodic;
mod reload;

// How its components run: instances on wasmtime.
mod bindings;
mod caller;
mod chaining;
mod compiled;
mod component;
mod dispatch;
mod engine;
mod guest;
mod interfaces;
mod limits;
mod outbound;
mod workers;

// How requests reach them.
mod body;
mod problem;
mod routing;
mod server;

pub use app::{App, Settings, check};
pub use error::LoadError;
pub use links::{LinkChange, LinkError};

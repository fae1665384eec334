//! The embedded runtime: runs a Spin app's HTTP components on wasmtime.
//!
//! It runs any app that keeps to what it supports, and refuses by name what needs Spin. [`App::load`] opens the stores and
//! compiles the components; [`App::serve`] serves until it is told to stop. The interfaces of WASI that an answer from a
//! store does without are in the crate `host-wasi`, which whoever loads an app hands in.

mod app;
mod budget;
mod error;
mod limits;
pub mod observer;
mod periodic;

mod given;
mod instances;
mod requests;

pub use app::{App, Settings, check};
pub use error::LoadError;
pub use given::links::{LinkChange, LinkError};
pub use given::models;
pub use instances::engine::AddToLinker;
pub use instances::guest::Guest;

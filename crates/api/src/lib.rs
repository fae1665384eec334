//! What components share: those of the app's API, so that their answers look alike, and all of them, writing to the terminal.
//!
//! - [`answer`]: answers of JSON.
//! - [`inference`]: the private call to the component that has the model.
//! - [`misconfigured`]: a variable that an app cannot work with.
//! - [`log`]: standard error.

pub mod answer;
pub mod inference;
pub mod log;
pub mod misconfigured;

pub use misconfigured::Misconfigured;

//! What the components share, so that they answer alike and cannot disagree.
//!
//! - [`origin`]: refusing requests that a page of another site sent.
//! - [`sign_in`]: letting people in who have credentials.
//! - [`address`]: where a request comes from.
//! - [`body`]: reading a body in bounded memory, and [`json`]: what is in it.
//! - [`response`]: answering with JSON.
//! - [`settings`]: the app's variables, and [`misconfigured`]: one that the app cannot work with.
//! - [`inference`]: the private call to the component that has the model.
//! - [`log`]: standard error.

pub mod address;
pub mod body;
pub mod inference;
pub mod json;
pub mod log;
pub mod misconfigured;
pub mod origin;
pub mod response;
pub mod settings;
pub mod sign_in;

pub use misconfigured::Misconfigured;
pub use settings::Settings;

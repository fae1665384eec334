//! What the components share, so that they answer alike and cannot disagree.
//!
//! - [`origin`]: refusing requests that a page of another site sent.
//! - [`sign_in`]: letting people in who have credentials.
//! - [`address`] and [`visitor`]: where a request comes from, and who sends it.
//! - [`body`]: reading a body in bounded memory, and [`json`]: what is in it.
//! - [`response`]: answering with JSON.
//! - [`settings`]: the app's variables, and [`misconfigured`]: one that the app cannot work with.
//! - [`recording`] and [`inference`]: the private calls to the component that records answers, and to the one that has the model.
//! - [`log`]: standard output and standard error.

pub mod address;
pub mod body;
pub mod inference;
pub mod json;
pub mod log;
pub mod misconfigured;
pub mod origin;
pub mod recording;
pub mod response;
pub mod settings;
pub mod sign_in;
pub mod visitor;

pub use misconfigured::Misconfigured;
pub use settings::{Answering, Recording};

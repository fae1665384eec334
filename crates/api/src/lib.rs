//! What components share: those of the app's API, so that their answers look alike, and all of them, writing to the terminal.
//!
//! - [`answer`]: answers of JSON.
//! - [`problem`]: problems as answers (RFC 9457), and [`misconfigured`]: a variable that an app cannot work with.
//! - [`log`]: standard error.

pub mod answer;
pub mod log;
pub mod misconfigured;
pub mod problem;

pub use misconfigured::Misconfigured;
pub use problem::Problem;

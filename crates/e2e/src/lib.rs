//! Black-box tests: HTTP, command line, a real browser.
//!
//! The tests in `tests/` use the app as people do, and know of it only what its users know: addresses, store files,
//! the command line. This library starts what they need.
//!
//! - [`app`]: the app on a free port, with links and stores of its own; [`response`]: what it answers.
//! - [`runtime`]: what runs it: the embedded runtime or, where `AB_E2E_SPIN` names a `spin`, Spin.
//! - [`artifacts`]: the command line and the components, built once.
//! - [`store`]: a store's file, in Spin's format; [`explorer`]: the explorer's REST interface; [`raw`]: bytes as they are.
//! - [`cluster`]: the app on several nodes, behind `HAProxy`, with a Redis that has a replica.
//! - [`browser`]: a real one; [`axe`]: whether everybody can use what it shows; [`redis_server`]: a real one; [`tool`]: what to do where they are missing.
//! - [`model_server`]: a scripted model; [`origin`]: any server outside the app, over TLS too. They are the test doubles there are.
//! - [`models`]: the model servers to test with, the scripted one and real ones.
//! - [`process`]: what all that runs as; [`usage`]: what of the machine it takes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what goes wrong in here fails the test that uses it"
)]

pub mod app;
pub mod response;

pub mod artifacts;
pub mod runtime;

pub mod explorer;
pub mod raw;
pub mod store;

pub mod cluster;

pub mod axe;
pub mod browser;
pub mod model_server;
pub mod models;
pub mod origin;
pub mod redis_server;
pub mod tool;

pub mod process;
pub mod usage;

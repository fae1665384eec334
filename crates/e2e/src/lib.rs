//! Black-box tests: HTTP, command line, a real browser.

pub mod model_server;

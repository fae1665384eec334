//! Generated from `wit/`. The Spin SDK wraps neither batch operations nor compare-and-swap.
#![expect(unreachable_pub, clippy::pedantic, reason = "generated")]

use spin_sdk::wit_bindgen;

wit_bindgen::generate!({
    path: "wit",
    world: "experiment:guest/imports",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});

pub use wasi::keyvalue::{atomics, batch, store};

//! Bindings to the part of `wasi:keyvalue` in `wit/`, made at build time.

#![expect(clippy::same_length_and_capacity, reason = "generated code")]

wit_bindgen::generate!({
    world: "kv-explorer:host/host",
    path: "wit",
    generate_all,
    runtime_path: "::spin_sdk::wit_bindgen::rt",
});

pub(crate) use wasi::keyvalue::{atomics, batch, store};

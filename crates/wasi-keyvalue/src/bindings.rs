//! Generated from `wit/`.
#![expect(clippy::same_length_and_capacity, reason = "generated")]

wit_bindgen::generate!({
    path: "wit",
    world: "wasi:keyvalue/imports",
    generate_all,
});

pub(crate) use wasi::keyvalue::{atomics, batch, store};

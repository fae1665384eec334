//! Generated from `wit/` here and in `crates/wasi-keyvalue`: what a component may import beside WASI. Implemented in
//! `interfaces/`.

wasmtime::component::bindgen!({
    path: ["../wasi-keyvalue/wit", "wit"],
    world: "host:runtime/imports",
    imports: {
        default: async | trappable,
        // These wait for nothing, and a call that may wait costs more.
        "wasi:keyvalue/store.open": trappable,
        "wasi:keyvalue/store.[drop]bucket": trappable,
    },
    with: {
        "spin:key-value/key-value.store": stores::Store,
        "wasi:keyvalue/store.bucket": stores::Store,
        "wasi:keyvalue/atomics.cas": crate::instances::compare_and_swap::CompareAndSwap,
    },
});

//! Generated from `wit/` here and in `crates/wasi-keyvalue`: what a component may import beside WASI. Implemented in
//! `interfaces/`.

wasmtime::component::bindgen!({
    path: ["../wasi-keyvalue/wit", "wit"],
    world: "host:runtime/imports",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value.store": stores::Store,
        "wasi:keyvalue/store.bucket": stores::Store,
        "wasi:keyvalue/atomics.cas": crate::instances::compare_and_swap::CompareAndSwap,
    },
});

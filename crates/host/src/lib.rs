//! The embedded runtime: runs a Spin app's HTTP components on wasmtime.

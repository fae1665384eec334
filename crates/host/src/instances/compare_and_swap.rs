//! The resource behind `wasi:keyvalue/atomics.cas`.

use stores::Store;

/// A value as it was when a guest began a compare-and-swap.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct CompareAndSwap {
    pub(crate) store: Store,
    pub(crate) key: String,
    pub(crate) seen: Option<Vec<u8>>,
}

//! What is in a store, and a place in the list of its keys.

/// A key and its value.
pub type Entry = (String, Vec<u8>);

/// Where the next page of keys starts. It holds nothing of the store's and can be kept for any time.
#[derive(Clone, Debug)]
pub struct Cursor(pub(crate) Position);

impl Cursor {
    /// The key after which the page starts; `None` if this is Redis's cursor.
    pub(crate) fn after(self) -> Option<String> {
        match self.0 {
            Position::After(key) => Some(key),
            Position::Scan(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Position {
    /// After this key, in the order of the keys' bytes.
    After(String),
    /// Redis's own cursor.
    Scan(u64),
}

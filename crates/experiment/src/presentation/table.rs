//! Names and cells.

use serde::Serialize;

/// A table of text with a name for each column and row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// The names of the columns. The first column is that of the rows' names; its own name may be empty.
    pub head: Vec<String>,
    /// Rows of as many cells as the head, the first being the row's name.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A row.
    pub fn row(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
        [name.to_owned()].into_iter().chain(cells).collect()
    }
}

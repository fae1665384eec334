//! How far the reading of observations has come.

use serde::Serialize;

/// How far a survey has come.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// The label of the store that is being read.
    pub label: String,
    /// Its place among the experiment's variants, from 1.
    pub variant: usize,
    /// How many variants there are.
    pub variants: usize,
    /// Keys read.
    pub read: usize,
    /// Keys in the store.
    pub total: usize,
}

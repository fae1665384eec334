//! Results, as several commands come by them and show them.
//!
//! - [`live`]: from the stores of an app to an analysis
//! - [`tables`]: for people at a terminal
//! - [`page`]: one HTML file that needs nothing else
//! - [`output`]: where it goes
//! - [`spreadsheet`]: texts in the cells of CSV

pub(crate) mod live;
pub(crate) mod output;
pub(crate) mod page;
pub(crate) mod spreadsheet;
pub(crate) mod tables;

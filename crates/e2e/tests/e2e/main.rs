//! The app as people use it. One file for each subject; what measures time stands apart in `tests/latency`, where
//! nothing else runs meanwhile.

mod answers;
mod assignment;
mod change;

mod bad_input;
mod model_failures;

mod explorer_rest;
mod pages;

mod relinking;
mod runtime;

mod documents;

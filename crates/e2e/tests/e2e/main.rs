//! The app as people use it. One file for each subject; what measures time stands apart in `tests/latency`, where
//! nothing else runs meanwhile.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what goes wrong in a helper fails its test")]

mod answers;
mod assignment;
mod change;
mod cluster;
mod redis_stores;

mod bad_input;
mod model_failures;
mod model_servers;
mod outbound;

mod annotate_page;
mod annotations;
mod feedback;
mod limits;
mod results;
mod tallies;

mod cards;
mod explorer_beyond;
mod explorer_guard;
mod explorer_keyboard;
mod explorer_look;
mod explorer_page;
mod explorer_prompt;
mod explorer_rest;
mod files;
mod pages;

mod accessibility;
mod phone;
mod tour;

mod first_run;
mod relinking;
mod runtime;
mod starting;

mod documents;
mod features;
mod hostile;
mod imports;
mod readme;

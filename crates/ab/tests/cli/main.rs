//! The command line as a person uses it: real files, real processes, a real Redis server.

mod redis_server;
mod sandbox;

mod session;

mod build;
mod entries;
mod faults;
mod killed;
mod links;
mod model;
mod plugin;

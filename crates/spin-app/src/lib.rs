//! What a Spin app is, read from its files: `spin.toml` and the runtime configuration.
//!
//! Everything that reads these files, the embedded runtime and the command line alike, reads them here, so that no two
//! readers disagree. Nothing here runs a component or opens a store.

pub mod manifest;
pub mod runtime_config;

// What stands in them.
mod cloud_store;
pub mod outbound;
mod password;
pub mod route;
mod store_address;
mod template;
pub mod variables;

// How they are read.
mod toml_file;

pub use cloud_store::{AwsCredentials, CloudStore, NotACloudStore};
pub use manifest::Manifest;
pub use password::without_password;
pub use runtime_config::RuntimeConfig;
pub use store_address::{StoreAddress, absolute, is_redis};
pub use toml_file::{Fault, FileError, Place};

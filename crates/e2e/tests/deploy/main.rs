//! What `deploy/` says to Kubernetes and to Grafana, checked without either: there is no cluster here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "what goes wrong in a helper fails its test"
)]

/// The manifests as `kubectl` renders them.
mod rendered;
/// Whether a value keeps to a JSON schema.
mod schema;
/// What Kubernetes and Spin Operator accept.
mod schemas;

mod dashboard;
mod manifests;

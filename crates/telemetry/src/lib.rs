//! Traces and metrics of the embedded runtime, sent to an OpenTelemetry collector over OTLP (HTTP, protobuf).
//!
//! The environment variables are OpenTelemetry's, and they switch it on as they do with Spin. Spans and metrics have the
//! names that Spin gives them, and where it has none those of OpenTelemetry's semantic conventions.
//!
//! - [`telemetry`]: what an app is watched with, from its start to its end.
//! - [`environment`]: what the environment asks for.
//! - `watched`: one activity: its span and what is measured of it.
//! - `instruments`: the metrics.
//! - `spans`: spans on their way to the collector, in a queue that never makes anyone wait.
//! - `collector`: requests to the collector.

mod collector;
pub mod environment;
mod instruments;
mod spans;
pub mod telemetry;
mod watched;

pub use environment::EnvironmentError;
pub use telemetry::Telemetry;

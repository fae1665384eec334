//! What OpenTelemetry's environment variables ask for. The exporters and the SDK read the rest of them themselves:
//! endpoints, headers, time limits, the sampler, intervals.

use std::env;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{
    EnvResourceDetector, SdkProvidedResourceDetector, TelemetryResourceDetector,
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// What the environment asks for that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A protocol that only Spin speaks, or nobody.
    #[error("{variable} is \"{value}\", but the embedded runtime sends telemetry as http/protobuf only")]
    Protocol {
        /// Where it is asked for.
        variable: &'static str,
        /// What is asked for.
        value: String,
    },
    /// An address, header or other value that cannot be used.
    #[error("cannot send the telemetry that the environment requests: {0}")]
    Exporter(String),
    /// No thread for it can be started.
    #[error("cannot start a thread for telemetry: {0}")]
    Thread(#[from] std::io::Error),
}

impl EnvironmentError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Protocol { .. } => {
                Some("unset it, and give the collector's OTLP address for HTTP, usually port 4318")
            }
            Self::Exporter(_) => Some("check the variables whose names begin with OTEL_"),
            Self::Thread(_) => None,
        }
    }
}

/// The kinds of telemetry that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
}

impl Signal {
    /// Whether it is asked for. As with Spin, any value of `OTEL_SDK_DISABLED` but an empty one switches it off.
    pub(crate) fn is_asked_for(self) -> bool {
        let own = match self {
            Self::Traces => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            Self::Metrics => "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        };
        (is_set(ENDPOINT) || is_set(own)) && !is_set(DISABLED)
    }

    /// Refuses a protocol in which it cannot be sent.
    pub(crate) fn check_protocol(self) -> Result<(), EnvironmentError> {
        let own = match self {
            Self::Traces => "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            Self::Metrics => "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        };
        let asked = [own, PROTOCOL].into_iter().find_map(|variable| Some((variable, value(variable)?)));
        match asked {
            Some((variable, value)) if value != "http/protobuf" => {
                Err(EnvironmentError::Protocol { variable, value })
            }
            _ => Ok(()),
        }
    }
}

/// What all telemetry says about its source. Its name is `OTEL_SERVICE_NAME`, that in `OTEL_RESOURCE_ATTRIBUTES`, or Spin's:
/// `spin`.
pub(crate) fn resource() -> Resource {
    let mut resource = Resource::builder_empty()
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    resource = resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_set(SERVICE_NAME) {
        resource = resource.with_detector(Box::new(SdkProvidedResourceDetector));
    } else if !value(RESOURCE_ATTRIBUTES).is_some_and(|attributes| attributes.contains("service.name=")) {
        resource = resource.with_service_name("spin");
    }
    resource.build()
}

/// A whole number that a variable says.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    value(variable).and_then(|value| value.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn value(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

//! Telemetry, which takes a build of its own: most people do without, and their first build should not take longer for it.

use std::sync::Arc;

use host::observer::Observer;

use crate::terminal::Printer;

/// What watches the app, where the environment asks for it.
pub(super) struct Telemetry {
    #[cfg(feature = "telemetry")]
    sent: Option<Arc<telemetry::Telemetry>>,
}

#[cfg(feature = "telemetry")]
impl Telemetry {
    /// # Errors
    ///
    /// What the environment asks for cannot be had.
    pub(super) fn start(_: Printer) -> anyhow::Result<Self> {
        let sent = telemetry::Telemetry::from_environment().map_err(|error| {
            let failure = crate::terminal::failure(error.to_string());
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        Ok(Self { sent })
    }

    pub(super) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.sent.clone().map(|sent| sent as Arc<dyn Observer>)
    }

    /// Sends what is left.
    pub(super) fn finish(self) {
        if let Some(sent) = self.sent {
            sent.finish();
        }
    }
}

#[cfg(not(feature = "telemetry"))]
impl Telemetry {
    /// Warns where the environment asks for telemetry.
    #[expect(clippy::unnecessary_wraps, reason = "a build with telemetry may fail here")]
    pub(super) fn start(printer: Printer) -> anyhow::Result<Self> {
        const SWITCHES: [&str; 3] = [
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        ];
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let asked = SWITCHES.into_iter().find(|name| is_set(name)).filter(|_| !is_set("OTEL_SDK_DISABLED"));
        if let Some(variable) = asked {
            printer.warn(&crate::terminal::Warning::NoTelemetry { variable });
        }
        Ok(Self {})
    }

    #[expect(clippy::unused_self, reason = "a build with telemetry has an observer")]
    pub(super) fn observer(&self) -> Option<Arc<dyn Observer>> {
        None
    }

    #[expect(clippy::unused_self, reason = "a build with telemetry sends what is left")]
    pub(super) fn finish(self) {}
}

//! What an app is watched with, from its start to its end.

use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use host::observer::{Activity, Load, Observed, Observer, StoreCall, Trace};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanExporter as _};

use crate::collector::Collector;
use crate::environment::{self, EnvironmentError, Signal};
use crate::instruments::Instruments;
use crate::spans::{Fates, Spans};
use crate::watched::Watched;

/// The name under which Spin traces.
const SCOPE: &str = "spin";

/// How long the app waits, when it ends, for the collector to take the last of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends what an app does to a collector.
pub struct Telemetry {
    app: OnceLock<Arc<str>>,
    tracer: Option<SdkTracer>,
    instruments: Option<Arc<Instruments>>,
    spans: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// The telemetry that the environment asks for, if it asks for any.
    ///
    /// # Errors
    ///
    /// What it asks for cannot be had.
    pub fn from_environment() -> Result<Option<Arc<Self>>, EnvironmentError> {
        let [traces, metrics] = [Signal::Traces, Signal::Metrics].map(Signal::is_asked_for);
        if !traces && !metrics {
            return Ok(None);
        }
        let collector = Collector::start()?;
        let fates = traces.then(Arc::<Fates>::default);
        let spans = fates.clone().map(|fates| span_provider(&collector, fates)).transpose()?;
        let metrics = metrics.then(|| metric_provider(&collector)).transpose()?;
        Ok(Some(Arc::new(Self {
            app: OnceLock::new(),
            tracer: spans.as_ref().map(|provider| provider.tracer(SCOPE)),
            instruments: metrics
                .as_ref()
                .map(|provider| Arc::new(Instruments::new(provider.meter(SCOPE), fates))),
            spans,
            metrics,
        })))
    }

    /// Sends what is left, where the collector takes it soon.
    pub fn finish(&self) {
        let (spans, metrics) = (self.spans.clone(), self.metrics.clone());
        let (done, is_done) = channel();
        thread::spawn(move || {
            // What cannot be sent any more is lost, and has been told.
            let _ = spans.map(|provider| provider.shutdown_with_timeout(FAREWELL));
            let _ = metrics.map(|provider| provider.shutdown());
            let _ = done.send(());
        });
        let _ = is_done.recv_timeout(FAREWELL);
    }

    fn app(&self) -> &Arc<str> {
        self.app.get_or_init(|| "".into())
    }
}

impl Observer for Telemetry {
    fn loaded(&self, app: &str, load: Load) {
        // An app is loaded once.
        let _ = self.app.set(app.into());
        if let Some(instruments) = &self.instruments {
            instruments.watch_load(load);
        }
    }

    fn begin(&self, activity: Activity<'_>, trace: &Trace) -> Box<dyn Observed> {
        let (tracer, instruments) = (self.tracer.as_ref(), self.instruments.as_ref());
        Box::new(Watched::begin(activity, trace, tracer, instruments, self.app()))
    }

    fn stored(&self, call: StoreCall<'_>) {
        if let Some(instruments) = &self.instruments {
            instruments.stored(call);
        }
    }
}

fn span_provider(collector: &Collector, fates: Arc<Fates>) -> Result<SdkTracerProvider, EnvironmentError> {
    Signal::Traces.check_protocol()?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector.clone())
        .build()
        .map_err(|error| EnvironmentError::Exporter(error.to_string()))?;
    let resource = environment::resource();
    exporter.set_resource(&resource);
    let spans = Spans::start(exporter, fates)?;
    Ok(SdkTracerProvider::builder().with_resource(resource).with_span_processor(spans).build())
}

fn metric_provider(collector: &Collector) -> Result<SdkMeterProvider, EnvironmentError> {
    Signal::Metrics.check_protocol()?;
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(collector.clone())
        .build()
        .map_err(|error| EnvironmentError::Exporter(error.to_string()))?;
    let reader = PeriodicReader::builder(exporter).build();
    Ok(SdkMeterProvider::builder().with_resource(environment::resource()).with_reader(reader).build())
}

//! The metrics. `docs/telemetry.md` lists them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host::observer::{Load, StoreCall};
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, StringValue, Value};

use crate::spans::Fates;

/// Bounds in seconds: those of the semantic conventions, and finer ones below, where answers from a store are.
const SECONDS: [f64; 18] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    7.5, 10.0,
];

#[derive(Debug)]
pub(crate) struct Instruments {
    meter: Meter,
    /// Requests to components, as Spin counts them.
    pub(crate) requests: Counter<u64>,
    pub(crate) request_duration: Histogram<f64>,
    pub(crate) component_failures: Counter<u64>,
    pub(crate) outgoing_duration: Histogram<f64>,
    pub(crate) outgoing_active: UpDownCounter<i64>,
    /// Inferences, as Spin counts them.
    pub(crate) inferences: Counter<u64>,
    pub(crate) inference_duration: Histogram<f64>,
    pub(crate) inferences_active: UpDownCounter<i64>,
    store_duration: Histogram<f64>,
}

impl Instruments {
    pub(crate) fn new(meter: Meter, spans: Option<Arc<Fates>>) -> Self {
        let duration = |name: &'static str| {
            meter.f64_histogram(name).with_unit("s").with_boundaries(SECONDS.to_vec()).build()
        };
        let active = |name: &'static str| meter.i64_up_down_counter(name).with_unit("{request}").build();
        let instruments = Self {
            requests: meter.u64_counter("spin.request_count").build(),
            request_duration: duration("http.server.request.duration"),
            component_failures: meter.u64_counter("ab.component.failures").build(),
            outgoing_duration: duration("http.client.request.duration"),
            outgoing_active: active("http.client.active_requests"),
            inferences: meter.u64_counter("spin.llm_infer").build(),
            inference_duration: duration("gen_ai.client.operation.duration"),
            inferences_active: active("ab.model.active_requests"),
            store_duration: duration("db.client.operation.duration"),
            meter,
        };
        if let Some(spans) = spans {
            instruments.watch_spans(spans);
        }
        instruments
    }

    /// Looks at what components are busy with whenever metrics are sent.
    pub(crate) fn watch_load(&self, load: Load) {
        let load = Arc::new(load);
        let requests = load.clone();
        self.meter
            .i64_observable_up_down_counter("http.server.active_requests")
            .with_unit("{request}")
            .with_callback(move |observer| {
                for component in requests.components() {
                    observer.observe(whole(component.requests), &[text("component_id", component.id)]);
                }
            })
            .build();
        self.meter
            .i64_observable_up_down_counter("ab.component.instances")
            .with_unit("{instance}")
            .with_callback(move |observer| {
                for component in load.components() {
                    observer.observe(whole(component.instances), &[text("component_id", component.id)]);
                }
            })
            .build();
    }

    fn watch_spans(&self, spans: Arc<Fates>) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let dropped = spans.clone();
        self.meter
            .u64_observable_counter("otel.sdk.processor.span.processed")
            .with_unit("{span}")
            .with_callback(move |observer| {
                observer.observe(read(&dropped.dropped), &[KeyValue::new("error.type", "queue_full")]);
            })
            .build();
        self.meter
            .u64_observable_counter("otel.sdk.exporter.span.exported")
            .with_unit("{span}")
            .with_callback(move |observer| {
                observer.observe(read(&spans.sent), &[]);
                observer.observe(read(&spans.lost), &[KeyValue::new("error.type", "rejected")]);
            })
            .build();
    }

    pub(crate) fn stored(&self, call: StoreCall<'_>) {
        let attributes =
            [text("component_id", call.component), KeyValue::new("db.operation.name", call.operation)];
        let seconds = call.elapsed.as_secs_f64();
        if call.is_failed {
            let [component, operation] = attributes;
            self.store_duration
                .record(seconds, &[component, operation, KeyValue::new("error.type", "store")]);
        } else {
            self.store_duration.record(seconds, &attributes);
        }
    }
}

/// An attribute whose text is shared, not copied.
pub(crate) fn text(key: &'static str, value: &Arc<str>) -> KeyValue {
    KeyValue::new(key, Value::String(StringValue::from(value.clone())))
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

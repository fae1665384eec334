//! What a collector was sent, as far as the tests look at it.

use std::collections::BTreeMap;

use e2e::origin::Received as Request;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

type Attributes = BTreeMap<String, String>;

/// All that a collector was sent.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// What all of it says about its source.
    pub(crate) resource: Attributes,
    pub(crate) spans: Vec<Span>,
    /// The latest value of each metric with its attributes; of a histogram, how much it has counted.
    metrics: BTreeMap<(String, Attributes), f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) id: String,
    parent: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) attributes: Attributes,
}

impl Received {
    pub(crate) fn of(requests: &[Request]) -> Self {
        let mut received = Self::default();
        for request in requests {
            assert_eq!(request.method, "POST");
            assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
            if request.target == "/v1/traces" {
                received.take_spans(ExportTraceServiceRequest::decode(request.body.clone()).unwrap());
            } else {
                received.take_metrics(ExportMetricsServiceRequest::decode(request.body.clone()).unwrap());
            }
        }
        received
    }

    /// The latest value of a metric with these attributes, among others.
    pub(crate) fn value(&self, name: &str, attributes: &[(&str, &str)]) -> Option<f64> {
        let has = |all: &Attributes| {
            attributes.iter().all(|(key, value)| all.get(*key).is_some_and(|found| found == value))
        };
        let mut found = self.metrics.iter().filter(|((found, all), _)| found == name && has(all));
        let value = found.next().map(|(_, value)| *value);
        assert!(found.next().is_none(), "{name} is there with several of {attributes:?}: {:?}", self.metrics);
        value
    }

    fn take_resource(&mut self, resource: Option<Resource>) {
        self.resource.extend(all(resource.unwrap_or_default().attributes));
    }

    fn take_spans(&mut self, request: ExportTraceServiceRequest) {
        for from in request.resource_spans {
            self.take_resource(from.resource);
            for span in from.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
                self.spans.push(Span {
                    kind: format!("{:?}", SpanKind::try_from(span.kind).unwrap()),
                    trace_id: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    name: span.name,
                    attributes: all(span.attributes),
                });
            }
        }
    }

    fn take_metrics(&mut self, request: ExportMetricsServiceRequest) {
        for from in request.resource_metrics {
            self.take_resource(from.resource);
            for metric in from.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                let values: Vec<_> = match metric.data.unwrap() {
                    metric::Data::Sum(sum) => sum
                        .data_points
                        .into_iter()
                        .map(|point| {
                            let value = match point.value.unwrap() {
                                number_data_point::Value::AsInt(value) => {
                                    f64::from(i32::try_from(value).unwrap())
                                }
                                number_data_point::Value::AsDouble(value) => value,
                            };
                            (point.attributes, value)
                        })
                        .collect(),
                    metric::Data::Histogram(histogram) => histogram
                        .data_points
                        .into_iter()
                        .map(|point| (point.attributes, f64::from(u32::try_from(point.count).unwrap())))
                        .collect(),
                    other => panic!("{}: {other:?}", metric.name),
                };
                for (attributes, value) in values {
                    self.metrics.insert((metric.name.clone(), all(attributes)), value);
                }
            }
        }
    }
}

/// The spans whose parent is the span `id`.
pub(crate) fn children(received: &Received, id: &str) -> Vec<Span> {
    received.spans.iter().filter(|span| span.parent == id).cloned().collect()
}

/// All that was sent, with its text readable.
pub(crate) fn text(requests: &[Request]) -> String {
    requests.iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
}

fn all(attributes: Vec<KeyValue>) -> Attributes {
    attributes.into_iter().map(|attribute| (attribute.key, shown(attribute.value))).collect()
}

fn shown(value: Option<AnyValue>) -> String {
    match value.unwrap().value.unwrap() {
        any_value::Value::StringValue(text) => text,
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

//! One activity: its span, and what is measured of it.

use std::sync::Arc;
use std::time::Instant;

use host::observer::{Activity, Observed, Outcome, Trace};
use http::{HeaderValue, Method};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};

use crate::instruments::{Instruments, text};

pub(crate) struct Watched {
    kind: Kind,
    span: Option<Span>,
    trace: Trace,
    measured: Option<Measured>,
    has_ended: bool,
}

/// What is measured of an activity.
struct Measured {
    instruments: Arc<Instruments>,
    start: Instant,
    /// Of all its measurements.
    attributes: Vec<KeyValue>,
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Component,
    Outgoing,
    Inference,
}

impl Watched {
    pub(crate) fn begin(
        activity: Activity<'_>,
        parent: &Trace,
        tracer: Option<&SdkTracer>,
        instruments: Option<&Arc<Instruments>>,
        app: &Arc<str>,
    ) -> Self {
        let (kind, attributes) = (kind(activity), attributes(activity));
        let span = tracer.map(|tracer| {
            let is_remote = matches!(activity, Activity::Request { .. });
            let builder = builder(activity)
                .with_attributes(attributes.iter().cloned().chain(span_attributes(activity)));
            builder.start_with_context(tracer, &context(parent, is_remote))
        });
        let trace = span.as_ref().map_or_else(|| parent.clone(), |span| headers(span.span_context()));
        let measured = instruments.map(|instruments| {
            let mut attributes = attributes;
            match kind {
                Kind::Request => {}
                Kind::Component => {
                    let [trigger, app] = [KeyValue::new("trigger_type", "http"), text("app_id", app)];
                    attributes.extend([trigger, app]);
                    instruments.requests.add(1, &attributes);
                }
                Kind::Outgoing => instruments.outgoing_active.add(1, &attributes),
                Kind::Inference => {
                    if let Activity::Inference { model } = activity {
                        instruments.inferences.add(1, &[KeyValue::new("model_name", model.to_owned())]);
                    }
                    instruments.inferences_active.add(1, &attributes);
                }
            }
            Measured { instruments: instruments.clone(), start: Instant::now(), attributes }
        });
        Self { kind, span, trace, measured, has_ended: false }
    }

    fn finish(&mut self, outcome: Outcome) {
        self.has_ended = true;
        let is_client = matches!(self.kind, Kind::Outgoing);
        if let Some(span) = &mut self.span {
            match outcome {
                Outcome::Answered(status) => {
                    span.set_attribute(KeyValue::new(
                        "http.response.status_code",
                        i64::from(status.as_u16()),
                    ));
                    if status.is_server_error() || is_client && status.is_client_error() {
                        span.set_status(Status::error(""));
                    }
                }
                Outcome::Done => {}
                Outcome::Failed(why) => {
                    span.set_attribute(KeyValue::new("error.type", why));
                    span.set_status(Status::error(why));
                }
            }
            span.end();
        }
        if let Some(measured) = self.measured.take() {
            measured.finish(self.kind, outcome);
        }
    }
}

impl Observed for Watched {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn end(mut self: Box<Self>, outcome: Outcome) {
        self.finish(outcome);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.has_ended {
            self.finish(Outcome::Failed("abandoned"));
        }
    }
}

impl Measured {
    fn finish(self, kind: Kind, outcome: Outcome) {
        let Self { instruments, start, mut attributes } = self;
        match kind {
            Kind::Component => {
                if let Outcome::Failed(why) = outcome {
                    attributes.push(KeyValue::new("error.type", why));
                    instruments.component_failures.add(1, &attributes);
                }
                return;
            }
            Kind::Outgoing => instruments.outgoing_active.add(-1, &attributes),
            Kind::Inference => instruments.inferences_active.add(-1, &attributes),
            Kind::Request => {}
        }
        match outcome {
            Outcome::Answered(status) => {
                attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            }
            Outcome::Done => {}
            Outcome::Failed(why) => attributes.push(KeyValue::new("error.type", why)),
        }
        let duration = match kind {
            Kind::Outgoing => &instruments.outgoing_duration,
            Kind::Inference => &instruments.inference_duration,
            Kind::Request | Kind::Component => &instruments.request_duration,
        };
        duration.record(start.elapsed().as_secs_f64(), &attributes);
    }
}

fn kind(activity: Activity<'_>) -> Kind {
    match activity {
        Activity::Request { .. } => Kind::Request,
        Activity::Component { .. } => Kind::Component,
        Activity::Outgoing { .. } => Kind::Outgoing,
        Activity::Inference { .. } => Kind::Inference,
    }
}

/// A span with the name and the kind that Spin gives it.
fn builder(activity: Activity<'_>) -> SpanBuilder {
    let (name, kind) = match activity {
        Activity::Request { method, route, .. } => {
            let name = match route.and_then(|route| route.to_str().ok()) {
                Some(route) => format!("{} {route}", known(method)),
                None => known(method).to_owned(),
            };
            (name.into(), SpanKind::Server)
        }
        Activity::Component { id } => (format!("execute_wasm_component {id}").into(), SpanKind::Internal),
        Activity::Outgoing { method, .. } => (known(method).into(), SpanKind::Client),
        Activity::Inference { .. } => ("spin_llm.infer".into(), SpanKind::Client),
    };
    SpanBuilder { name, ..SpanBuilder::default() }.with_kind(kind)
}

/// What spans and metrics say alike: nothing of which there are many.
fn attributes(activity: Activity<'_>) -> Vec<KeyValue> {
    match activity {
        Activity::Request { method, route, .. } => {
            let method = KeyValue::new("http.request.method", known(method));
            let route = route.and_then(|route| route.to_str().ok());
            let route = route.map(|route| KeyValue::new("http.route", route.to_owned()));
            [Some(method), route].into_iter().flatten().collect()
        }
        Activity::Component { id } => vec![text("component_id", id)],
        Activity::Outgoing { method, uri } => {
            let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
            vec![
                KeyValue::new("http.request.method", known(method)),
                KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()),
                KeyValue::new("server.port", i64::from(uri.port_u16().unwrap_or(default))),
            ]
        }
        Activity::Inference { model } => vec![
            KeyValue::new("gen_ai.operation.name", "text_completion"),
            KeyValue::new("gen_ai.request.model", model.to_owned()),
        ],
    }
}

/// What only spans say. Queries, and addresses of other servers beyond their host, may hold what nobody else is to read.
fn span_attributes(activity: Activity<'_>) -> Vec<KeyValue> {
    let Activity::Request { uri, client, .. } = activity else { return Vec::new() };
    vec![
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("url.path", uri.path().to_owned()),
        KeyValue::new("network.peer.address", client.ip().to_string()),
        KeyValue::new("network.peer.port", i64::from(client.port())),
    ]
}

/// A method's name, or that for all which HTTP does not know: a client may make up any number of them.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// What the headers of a trace mean to the SDK.
fn context(trace: &Trace, is_remote: bool) -> Context {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(trace));
    if is_remote || !context.has_active_span() {
        return context;
    }
    let span = context.span();
    let parent = span.span_context();
    let own = SpanContext::new(
        parent.trace_id(),
        parent.span_id(),
        parent.trace_flags(),
        false,
        parent.trace_state().clone(),
    );
    Context::new().with_remote_span_context(own)
}

/// The headers that hand a span on.
fn headers(span: &SpanContext) -> Trace {
    let mut headers = NewHeaders::default();
    let context = Context::new().with_remote_span_context(span.clone());
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    headers.0
}

struct Headers<'a>(&'a Trace);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = match key {
            "traceparent" => self.0.parent.as_ref(),
            "tracestate" => self.0.state.as_ref(),
            _ => None,
        };
        value.and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

#[derive(Default)]
struct NewHeaders(Trace);

impl Injector for NewHeaders {
    fn set(&mut self, key: &str, value: String) {
        let value = HeaderValue::try_from(value).ok().filter(|value| !value.is_empty());
        match key {
            "traceparent" => self.0.parent = value,
            "tracestate" => self.0.state = value,
            _ => {}
        }
    }
}

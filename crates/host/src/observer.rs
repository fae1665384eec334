//! What an app does, for an observer such as telemetry, about which this crate knows no more than this.
//!
//! Without an observer a request costs a branch wherever one would be told something.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};

/// Watches an app. It is asked on the way of every request, so nothing in it may wait.
pub trait Observer: Send + Sync {
    /// The app has been loaded; its load can be looked at from now on.
    fn loaded(&self, app: &str, load: Load);

    /// Something has begun, as a part of `trace`.
    fn begin(&self, activity: Activity<'_>, trace: &Trace) -> Box<dyn Observed>;

    /// A component's call of its store took this long.
    fn stored(&self, call: StoreCall<'_>);
}

/// Something under way. Dropped before its end, it was abandoned.
pub trait Observed: Send {
    /// What others are to be part of that take part in it.
    fn trace(&self) -> &Trace;

    /// It has ended.
    fn end(self: Box<Self>, outcome: Outcome);
}

/// What an app is at work on.
#[derive(Debug, Clone, Copy)]
pub enum Activity<'a> {
    /// A client's request.
    Request {
        /// Its method.
        method: &'a Method,
        /// Its address, with scheme and authority.
        uri: &'a Uri,
        /// The pattern that its path matches.
        route: Option<&'a HeaderValue>,
        /// Where the client connected from.
        client: SocketAddr,
    },
    /// A component's answer to a client's request or to that of another component.
    Component {
        /// Its id.
        id: &'a Arc<str>,
    },
    /// A request of a component to a server or to another component.
    Outgoing {
        /// Its method.
        method: &'a Method,
        /// Its address.
        uri: &'a Uri,
    },
    /// An inference through the model interface.
    Inference {
        /// The model.
        model: &'a str,
    },
}

/// How an activity ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It came to an answer over HTTP.
    Answered(StatusCode),
    /// It was done, and no status says how.
    Done,
    /// It failed, for a reason in a word or two that is one of few.
    Failed(&'static str),
}

/// A call of a store.
#[derive(Debug, Clone, Copy)]
pub struct StoreCall<'a> {
    /// The component that calls.
    pub component: &'a Arc<str>,
    /// The function of the interface, such as `get`.
    pub operation: &'static str,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether it failed.
    pub is_failed: bool,
}

/// Which trace, and which part of it, something belongs to: the headers of W3C's Trace Context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The header `traceparent`.
    pub parent: Option<HeaderValue>,
    /// The header `tracestate`.
    pub state: Option<HeaderValue>,
}

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

impl Trace {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self { parent: headers.get(TRACE_PARENT).cloned(), state: headers.get(TRACE_STATE).cloned() }
    }

    /// Makes a request with these headers a part of this trace, if it is one.
    pub(crate) fn insert_into(&self, headers: &mut HeaderMap) {
        let Some(parent) = &self.parent else { return };
        headers.insert(TRACE_PARENT, parent.clone());
        match &self.state {
            Some(state) => drop(headers.insert(TRACE_STATE, state.clone())),
            None => drop(headers.remove(TRACE_STATE)),
        }
    }
}

/// What each component of an app is busy with.
pub struct Load(pub(crate) Vec<Arc<dyn Busy>>);

/// A component, as far as its load goes.
pub(crate) trait Busy: Send + Sync {
    fn load(&self) -> ComponentLoad<'_>;
}

/// What one component is busy with.
#[derive(Debug, Clone, Copy)]
pub struct ComponentLoad<'a> {
    /// Its id.
    pub id: &'a Arc<str>,
    /// Requests in flight.
    pub requests: usize,
    /// Instances that exist, at work or waiting for it.
    pub instances: usize,
}

impl Load {
    /// All components, as they are now.
    pub fn components(&self) -> impl Iterator<Item = ComponentLoad<'_>> {
        self.0.iter().map(|component| component.load())
    }
}

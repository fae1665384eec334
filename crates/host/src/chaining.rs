//! Requests that a component makes: to the app's other components, at `http://ID.spin.internal`, and to nobody
//! else.

use std::sync::{Arc, LazyLock, Weak};

use http::uri::Scheme;
use http::{HeaderValue, Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::component::Component;
use crate::dispatch::{Core, Failure};
use crate::routing;

/// The outgoing side of one instance.
pub(crate) struct Chaining {
    component: Arc<Component>,
    core: Weak<Core>,
}

impl Chaining {
    pub(crate) fn new(component: Arc<Component>, core: Weak<Core>) -> Self {
        Self { component, core }
    }

    /// Where `request` goes, where the manifest allows it.
    fn target(&self, request: &mut Request<WasiBody>) -> Result<(Arc<Core>, usize), Error> {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        if !self.component.may_call(scheme, host, port) {
            return Err(Error::HttpRequestDenied);
        }
        let core = self.core.upgrade().ok_or(Error::ConnectionTerminated)?;
        let uri = uri.clone();
        let route = core
            .router()
            .route_chained(uri.host().unwrap_or_default(), uri.path())
            .ok_or(Error::DestinationNotFound)?;
        let index = route.component_index();
        route.insert_headers(&uri, request.headers_mut(), &CALLER);
        Ok((core, index))
    }
}

/// The caller of a chained request has no address of its own.
static CALLER: LazyLock<HeaderValue> = LazyLock::new(|| routing::client_value(routing::CHAINED_CLIENT));

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Chaining {
    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTP
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let target = self.target(&mut request);
        Box::new(async move {
            let (core, index) = target?;
            let answered = core.handle(index, request);
            let answered = match options.and_then(|options| options.first_byte_timeout) {
                Some(limit) => {
                    tokio::time::timeout(limit, answered).await.map_err(|_| Error::ConnectionReadTimeout)?
                }
                None => answered.await,
            };
            let response = answered.map_err(|failure| match failure {
                Failure::Busy => Error::ConnectionLimitReached,
                Failure::TimedOut => Error::HttpResponseTimeout,
                Failure::Died => Error::HttpResponseIncomplete,
            })?;
            let done: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

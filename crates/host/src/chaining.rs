//! Requests that a component makes: to the app's other components, at `http://ID.spin.internal`, to the app itself, at
//! `http://self.alt`, and to the servers outside that the manifest grants.

use std::sync::{Arc, LazyLock, Weak};

use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri, header};
use spin_app::route::chained_component;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::caller::Caller;
use crate::component::Component;
use crate::dispatch::{Core, Failure};
use crate::output::tell;
use crate::{outbound, routing};

/// The host that stands for the app itself.
const ITSELF: &str = "self.alt";

/// The outgoing side of one instance.
pub(crate) struct Chaining {
    component: Arc<Component>,
    core: Weak<Core>,
    /// Of the request that the instance is at work on: the requests that it makes meanwhile are for them.
    caller: Caller,
}

/// Where a request goes.
enum Target {
    /// To the component at this index of the manifest.
    Component(usize),
    /// Out of the app.
    Server,
}

impl Chaining {
    pub(crate) fn new(component: Arc<Component>, core: Weak<Core>) -> Self {
        Self { component, core, caller: Caller::default() }
    }

    /// From now on the instance is at work for `caller`.
    pub(crate) fn begin(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// Whom the instance is at work for.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Where `request` goes, where the manifest allows it.
    fn target(&self, request: &mut Request<WasiBody>) -> Result<(Arc<Core>, Target), Error> {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let is_itself = host == ITSELF;
        let component = &self.component;
        let is_allowed =
            if is_itself { component.may_call_itself() } else { component.may_call(scheme, host, port) };
        if !is_allowed {
            let (id, origin) = (component.id(), outbound::origin(uri));
            tell(&format!(
                "{id}: a request to {origin} was refused: \"{origin}\" is not in the component's allowed_outbound_hosts"
            ));
            return Err(Error::HttpRequestDenied);
        }
        let core = self.core.upgrade().ok_or(Error::ConnectionTerminated)?;
        if is_itself {
            to_itself(request, &core)?;
            return Ok((core, Target::Server));
        }
        if chained_component(host).is_none() {
            return Ok((core, Target::Server));
        }
        let uri = uri.clone();
        let route = core
            .router()
            .route_chained(uri.host().unwrap_or_default(), uri.path())
            .ok_or(Error::DestinationNotFound)?;
        let index = route.component_index();
        route.insert_headers(&uri, request.headers_mut(), &CALLER);
        Ok((core, Target::Component(index)))
    }
}

/// Sends `request` to where the app listens, as Spin does.
fn to_itself(request: &mut Request<WasiBody>, core: &Core) -> Result<(), Error> {
    let address = core.address().to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(address.as_str()).path_and_query(path);
    *request.uri_mut() = uri.build().map_err(|_| Error::HttpRequestUriInvalid)?;
    let host = HeaderValue::from_str(&address).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}

/// The caller of a chained request has no address of its own.
static CALLER: LazyLock<HeaderValue> = LazyLock::new(|| routing::client_value(routing::CHAINED_CLIENT));

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Chaining {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let target = self.target(&mut request);
        let (id, caller) = (self.component.id().clone(), self.caller.clone());
        Box::new(async move {
            let (core, target) = target?;
            let sent = async {
                match target {
                    Target::Component(index) => chained(&core, index, request, options).await,
                    Target::Server => outbound::send(core.http_client(), &id, request, options).await,
                }
            };
            let response = caller.unless_gone(sent).await.unwrap_or(Err(Error::ConnectionTerminated))?;
            let done: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response.map(|body| caller.body(body)), done))
        })
    }
}

/// Lets another component answer.
async fn chained(
    core: &Core,
    index: usize,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let answered = core.handle(index, request);
    let answered = match options.and_then(|options| options.first_byte_timeout) {
        Some(limit) => {
            tokio::time::timeout(limit, answered).await.map_err(|_| Error::ConnectionReadTimeout)?
        }
        None => answered.await,
    };
    answered.map_err(|failure| match failure {
        Failure::Busy => Error::ConnectionLimitReached,
        Failure::TimedOut => Error::HttpResponseTimeout,
        Failure::Died => Error::HttpResponseIncomplete,
    })
}

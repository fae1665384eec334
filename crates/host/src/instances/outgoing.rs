//! Requests that a component makes: to the app's other components, at `http://ID.spin.internal`, to the app itself, at
//! `http://self.alt`, and to the servers outside that the manifest grants.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use futures::future::BoxFuture;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use http_client::HttpClient;
use spin_app::route::chained_component;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::given::grants::Grants;
use crate::given::output::tell;
use crate::instances::caller::Caller;
use crate::instances::outbound;
use crate::observer::{Activity, Outcome, Trace};

/// The app around an instance, as the instance reaches it.
pub(crate) trait Surroundings: Send + Sync {
    /// Lets the component that the host of `request` names answer it.
    fn chained(
        self: Arc<Self>,
        request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>>;

    /// Where the app listens.
    fn address(&self) -> SocketAddr;

    /// For requests to servers outside the app, over connections that are kept.
    fn http_client(&self) -> &HttpClient;
}

/// The host that stands for the app itself.
const ITSELF: &str = "self.alt";

/// The outgoing side of one instance.
pub(crate) struct Outgoing {
    grants: Arc<Grants>,
    app: Weak<dyn Surroundings>,
    /// Of the request that the instance is at work on: the requests that it makes meanwhile are for them.
    caller: Caller,
    /// What that request is a part of.
    trace: Trace,
}

/// Where a request goes.
enum Target {
    /// To a component of the app.
    Component,
    /// Out of the app.
    Server,
}

impl Outgoing {
    pub(crate) fn new(grants: Arc<Grants>, app: Weak<dyn Surroundings>) -> Self {
        Self { grants, app, caller: Caller::default(), trace: Trace::default() }
    }

    /// From now on the instance is at work for `caller`, as a part of `trace`.
    pub(crate) fn begin(&mut self, caller: Caller, trace: Trace) {
        (self.caller, self.trace) = (caller, trace);
    }

    /// Whom the instance is at work for.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the instance's work is a part of.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Where `request` goes, where the manifest allows it.
    fn target(&self, request: &mut Request<WasiBody>) -> Result<(Arc<dyn Surroundings>, Target), Error> {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let (grants, is_itself) = (&self.grants, host == ITSELF);
        let is_allowed =
            if is_itself { grants.may_call_itself() } else { grants.may_call(scheme, host, port) };
        if !is_allowed {
            let (id, origin) = (&grants.id, outbound::origin(uri));
            tell(&format!(
                "{id}: a request to {origin} was refused: \"{origin}\" is not in the component's allowed_outbound_hosts"
            ));
            return Err(Error::HttpRequestDenied);
        }
        let app = self.app.upgrade().ok_or(Error::ConnectionTerminated)?;
        let target = if chained_component(host).is_some() { Target::Component } else { Target::Server };
        if is_itself {
            to_itself(request, app.address())?;
        }
        Ok((app, target))
    }
}

/// Sends `request` to where the app listens, as Spin does.
fn to_itself(request: &mut Request<WasiBody>, address: SocketAddr) -> Result<(), Error> {
    let address = address.to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(address.as_str()).path_and_query(path);
    *request.uri_mut() = uri.build().map_err(|_| Error::HttpRequestUriInvalid)?;
    let host = HeaderValue::from_str(&address).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Outgoing {
    /// As by default, where the list and a closure are made again for each header of each message.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        static FORBIDDEN: [HeaderName; 9] = DEFAULT_FORBIDDEN_HEADERS;
        FORBIDDEN.contains(name)
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let observed = self.grants.observer.as_ref().map(|observer| {
            let activity = Activity::Outgoing { method: request.method(), uri: request.uri() };
            let observed = observer.begin(activity, &self.trace);
            observed.trace().insert_into(request.headers_mut());
            observed
        });
        let target = self.target(&mut request);
        let (grants, caller) = (self.grants.clone(), self.caller.clone());
        Box::new(async move {
            let sent = async {
                let (app, target) = target?;
                match target {
                    Target::Component => chained(app, request, options).await,
                    Target::Server => outbound::send(app.http_client(), &grants.id, request, options).await,
                }
            };
            let sent = caller.unless_gone(sent).await.unwrap_or(Err(Error::ConnectionTerminated));
            if let Some(observed) = observed {
                observed.end(match &sent {
                    Ok(response) => Outcome::Answered(response.status()),
                    Err(error) => Outcome::Failed(failure(error)),
                });
            }
            let response = sent?;
            let done: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response.map(|body| caller.body(body)), done))
        })
    }
}

/// Why a request came to no response, in a word.
fn failure(error: &Error) -> &'static str {
    match error {
        Error::HttpRequestDenied => "denied",
        Error::ConnectionReadTimeout | Error::ConnectionTimeout | Error::HttpResponseTimeout => "timeout",
        Error::ConnectionTerminated => "abandoned",
        Error::ConnectionLimitReached => "busy",
        _ => "unreachable",
    }
}

/// Lets another component answer, within the wait that the guest asks for.
async fn chained(
    app: Arc<dyn Surroundings>,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let answered = app.chained(request);
    match options.and_then(|options| options.first_byte_timeout) {
        Some(limit) => {
            tokio::time::timeout(limit, answered).await.map_err(|_| Error::ConnectionReadTimeout)?
        }
        None => answered.await,
    }
}

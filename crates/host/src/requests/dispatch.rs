//! From a component's id and a request to an answer, on one core.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, PoisonError, Weak};

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode};
use http_client::HttpClient;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout};
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, ProxyHandler};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::given::output::tell;
use crate::instances::component::Component;
use crate::instances::outgoing::Surroundings;
use crate::instances::workers::{AtWork, Ticket, Workers};
use crate::limits;
use crate::observer::{Activity, Outcome, Trace};
use crate::requests::guarded::guarded;
use crate::requests::problem::problem;
use crate::requests::routing::{self, Router};

/// The components of an app as one thread runs them. A request and the requests it makes to other components stay
/// on their core.
pub(crate) struct Core {
    router: Arc<Router>,
    address: SocketAddr,
    http_client: HttpClient,
    /// In the order of the manifest's components.
    handlers: Vec<Handler>,
    at_work: Arc<AtWork>,
}

struct Handler {
    component: Arc<Component>,
    proxy: ProxyHandler<Workers>,
}

/// Why a component gave no answer. The terminal has the whole story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Every instance stayed busy.
    Busy,
    /// The component took longer than the limit for a request.
    TimedOut,
    /// The component died, or refused to answer.
    Died,
}

impl Core {
    pub(crate) fn new(components: &[Arc<Component>], router: Arc<Router>, address: SocketAddr) -> Arc<Self> {
        let at_work = Arc::<AtWork>::default();
        Arc::new_cyclic(|core: &Weak<Self>| Self {
            router,
            address,
            http_client: HttpClient::new(),
            handlers: components
                .iter()
                .map(|component| Handler {
                    component: component.clone(),
                    proxy: ProxyHandler::new(Workers::new(
                        component.clone(),
                        core.clone() as Weak<dyn Surroundings>,
                        at_work.clone(),
                    )),
                })
                .collect(),
            at_work,
        })
    }

    /// Which component answers what.
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// Waits until no instance is at work any more, on a request or on what goes on after its answer.
    pub(crate) async fn idle(&self) {
        self.at_work.none().await;
    }

    /// Lets the component at `index` of the manifest answer `request`, whose URI has a scheme and an authority.
    pub(crate) async fn handle(
        &self,
        index: usize,
        mut request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let handler = self.handlers.get(index).ok_or(Failure::Died)?;
        let grants = handler.component.grants();
        let observed = grants.observer.as_ref().map(|observer| {
            let observed =
                observer.begin(Activity::Component { id: &grants.id }, &Trace::of(request.headers()));
            observed.trace().insert_into(request.headers_mut());
            observed
        });
        let trace = observed.as_ref().map(|observed| observed.trace().clone()).unwrap_or_default();
        let answered = handler.handle(request, trace).await;
        if let Some(observed) = observed {
            observed.end(match &answered {
                Ok(response) => Outcome::Answered(response.status()),
                Err(failure) => Outcome::Failed(failure.word()),
            });
        }
        answered
    }
}

/// The caller of a chained request has no address of its own.
static CALLER: LazyLock<HeaderValue> = LazyLock::new(|| routing::client_value(routing::CHAINED_CLIENT));

impl Surroundings for Core {
    fn chained(
        self: Arc<Self>,
        mut request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>> {
        Box::pin(async move {
            let uri = request.uri().clone();
            let route = self
                .router
                .route_chained(uri.host().unwrap_or_default(), uri.path())
                .ok_or(Error::DestinationNotFound)?;
            let index = route.component_index();
            route.insert_headers(&uri, request.headers_mut(), &CALLER);
            self.handle(index, request).await.map_err(|failure| match failure {
                Failure::Busy => Error::ConnectionLimitReached,
                Failure::TimedOut => Error::HttpResponseTimeout,
                Failure::Died => Error::HttpResponseIncomplete,
            })
        })
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn http_client(&self) -> &HttpClient {
        &self.http_client
    }
}

impl Handler {
    async fn handle(&self, request: Request<WasiBody>, trace: Trace) -> Result<Response<WasiBody>, Failure> {
        let permit = self.permit().await?;
        let ticket = Ticket::new(trace);
        let waiting = ticket.caller().waiting();
        let response = self.answer(&ticket, request).await?;
        guarded(response, permit, ticket.instance(), waiting).await.map_err(|_| Failure::Died)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let capacity = self.component.capacity();
        if let Ok(permit) = capacity.clone().try_acquire_owned() {
            return Ok(permit);
        }
        match timeout(limits::CAPACITY_WAIT, capacity.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Failure::Busy),
        }
    }

    /// Where no instance can be made, earlier ones may still be finishing: tries again until the wait is over.
    async fn answer(
        &self,
        ticket: &Arc<Ticket>,
        mut request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let deadline = Instant::now() + limits::CAPACITY_WAIT;
        loop {
            let error = match self.proxy.handle(ticket.clone(), request).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match error.downcast::<InstantiationError<Arc<Ticket>>>() {
                Ok(failed) if Instant::now() < deadline => {
                    request = failed.request.into_inner().unwrap_or_else(PoisonError::into_inner);
                    sleep(limits::EPOCH).await;
                }
                Ok(failed) => {
                    tell(&format!("{}: no instance can be made: {:?}", self.component.id(), failed.error));
                    return Err(Failure::Busy);
                }
                Err(error) if error.is::<ExpirationError>() => {
                    let limit = self.component.grants().request_limit.as_secs();
                    tell(&format!("{}: no answer within {limit} s", self.component.id()));
                    return Err(Failure::TimedOut);
                }
                Err(_) if ticket.instance().is_short_of_memory() => return Err(Failure::Busy),
                Err(error) => {
                    tell(&format!("{}: no answer: {error:#}", self.component.id()));
                    return Err(Failure::Died);
                }
            }
        }
    }
}

impl Failure {
    /// For whoever counts failures.
    fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::TimedOut => "timeout",
            Self::Died => "died",
        }
    }

    /// What a client is told.
    pub(crate) fn response(self) -> Response<WasiBody> {
        match self {
            Self::Busy => problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "The app is busy: no instance is free, or no memory. Try again in a moment.",
            ),
            Self::TimedOut => problem(
                StatusCode::GATEWAY_TIMEOUT,
                "The component took too long to answer. Try again, or look at the app's output.",
            ),
            Self::Died => problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The component failed while answering. The app's output says why.",
            ),
        }
    }
}

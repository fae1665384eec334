//! The HTTP server: one single-threaded runtime per core, fed with connections by the one that accepts them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use spin_app::route::WELL_KNOWN_PREFIX;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_io_timeout::TimeoutStream;
use wasmtime_wasi_http::WasiBody;

use crate::budget::Budget;
use crate::given::output::tell;
use crate::instances::component::Component;
use crate::limits;
use crate::observer::{Activity, Observed, Observer, Outcome, Trace};
use crate::requests::body::{self, Refused};
use crate::requests::dispatch::Core;
use crate::requests::open_files;
use crate::requests::problem::problem;
use crate::requests::routing::{self, RouteMatch, Router};

/// What every core serves.
pub(crate) struct Site {
    pub(crate) info: AppInfo,
    pub(crate) components: Vec<Arc<Component>>,
    pub(crate) router: Arc<Router>,
    pub(crate) address: SocketAddr,
    /// What the bodies of requests may take.
    pub(crate) bodies: Arc<Budget>,
    /// Who watches the app, if anyone does.
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// What the app says of itself under `/.well-known/spin/info`.
#[derive(serde::Serialize)]
pub(crate) struct AppInfo {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Where a connection comes from.
#[derive(Clone)]
struct Client {
    address: SocketAddr,
    /// As components are told.
    value: HeaderValue,
}

type Connection = (std::net::TcpStream, SocketAddr, OwnedSemaphorePermit);

/// How long work that goes on after answers may take to finish once all requests have been answered.
const FINISHING: Duration = Duration::from_secs(5);

/// Accepts connections until `shutdown` is done, then lets requests in flight finish for at most
/// [`limits::SHUTDOWN`], and what goes on after their answers for at most [`FINISHING`].
///
/// # Errors
///
/// When the threads cannot be started or the listener cannot be used.
pub(crate) async fn serve(
    site: Arc<Site>,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let cores = std::thread::available_parallelism()?.get();
    let (senders, threads): (Vec<_>, Vec<_>) = (0..cores)
        .map(|_| start_core(site.clone()))
        .collect::<std::io::Result<Vec<_>>>()?
        .into_iter()
        .unzip();

    let connections = Arc::new(Semaphore::new(open_files::connections()));
    let accept = async {
        for sender in senders.iter().cycle() {
            let Ok(permit) = connections.clone().acquire_owned().await else { return };
            let (stream, client) = accepted(&listener).await;
            // A core ends only with its sender.
            let _ = sender.send((stream, client, permit));
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown => {}
    }
    drop(listener);
    drop(senders);
    let joined = tokio::task::spawn_blocking(|| {
        for thread in threads {
            if thread.join().is_err() {
                tell("a server thread panicked");
            }
        }
    });
    // The task only joins threads; a panic in one is told above.
    let _ = joined.await;
    Ok(())
}

/// The next connection, with Nagle's algorithm off. Running out of file descriptors is waited out.
async fn accepted(listener: &tokio::net::TcpListener) -> (std::net::TcpStream, SocketAddr) {
    loop {
        let accepted = listener.accept().await.and_then(|(stream, client)| {
            stream.set_nodelay(true)?;
            Ok((stream.into_std()?, client))
        });
        match accepted {
            Ok(connection) => return connection,
            Err(error) => {
                tell(&format!("cannot accept a connection: {error}"));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

type Started = (mpsc::UnboundedSender<Connection>, std::thread::JoinHandle<()>);

fn start_core(site: Arc<Site>) -> std::io::Result<Started> {
    let (sender, connections) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(move || {
        runtime.block_on(run_core(&site, connections));
        // Instances that still infer are not waited for.
        runtime.shutdown_background();
    })?;
    Ok((sender, thread))
}

/// Serves connections until no more can come, then lets those in flight finish.
async fn run_core(site: &Arc<Site>, mut connections: mpsc::UnboundedReceiver<Connection>) {
    let core = Core::new(&site.components, site.router.clone(), site.address);
    let graceful = GracefulShutdown::new();
    while let Some((stream, client, permit)) = connections.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        // A reader that takes nothing for this long has gone.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits::CLIENT_STALL));
        let (core, site) = (core.clone(), site.clone());
        let client = Client { address: client, value: routing::client_value(client) };
        let service = service_fn(move |request| {
            let (core, site, client) = (core.clone(), site.clone(), client.clone());
            async move { Ok::<_, Infallible>(respond(&site, &core, &client, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::CLIENT_STALL)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks its connection is no news.
            let _ = connection.await;
            drop(permit);
        });
    }
    if tokio::time::timeout(limits::SHUTDOWN, graceful.shutdown()).await.is_err() {
        tell("requests still in flight were cut off");
    }
    if tokio::time::timeout(FINISHING, core.idle()).await.is_err() {
        tell("work that went on after answers was cut off");
    }
}

/// Answers one request. Costs beyond the component's own: the URI and the headers that Spin adds.
async fn respond(
    site: &Site,
    core: &Core,
    client: &Client,
    request: Request<Incoming>,
) -> Response<WasiBody> {
    let mut observed = None;
    let response = answer(site, core, client, request, &mut observed).await;
    if let Some(observed) = observed {
        observed.end(Outcome::Answered(response.status()));
    }
    response
}

/// Answers one request, and begins to observe it where somebody does.
async fn answer(
    site: &Site,
    core: &Core,
    client: &Client,
    request: Request<Incoming>,
    observed: &mut Option<Box<dyn Observed>>,
) -> Response<WasiBody> {
    let (mut head, body) = request.into_parts();
    let Some(uri) = absolute(&head, site.address) else {
        return problem(StatusCode::BAD_REQUEST, "The Host header or the request's target is malformed.");
    };
    if let Some(path) = uri.path().strip_prefix(WELL_KNOWN_PREFIX) {
        return well_known(&site.info, path);
    }
    let route = core.router().route(uri.path());
    if let Some(observer) = &site.observer {
        let activity = Activity::Request {
            method: &head.method,
            uri: &uri,
            route: route.as_ref().map(RouteMatch::pattern),
            client: client.address,
        };
        let begun = observer.begin(activity, &Trace::of(&head.headers));
        begun.trace().insert_into(&mut head.headers);
        *observed = Some(begun);
    }
    let Some(route) = route else {
        return problem(StatusCode::NOT_FOUND, "No component of the app has a route for this path.");
    };
    let body = match body::incoming(body, &site.bodies).await {
        Ok(body) => body,
        Err(refused) => return refused.response(),
    };
    let index = route.component_index();
    route.insert_headers(&uri, &mut head.headers, &client.value);
    head.headers.remove(header::CONNECTION);
    head.uri = uri;
    let is_try = head.headers.contains_key(header::AUTHORIZATION);
    match core.handle(index, Request::from_parts(head, body)).await {
        Ok(response) => {
            if is_try && response.status() == StatusCode::UNAUTHORIZED {
                // No instance and no place is kept meanwhile, so that wrong tries never keep the right one out.
                tokio::time::sleep(limits::WRONG_CREDENTIALS).await;
            }
            response
        }
        Err(failure) => failure.response(),
    }
}

/// What Spin answers by itself for every app.
fn well_known(info: &AppInfo, path: &str) -> Response<WasiBody> {
    let (kind, text) = match path {
        "health" => ("text/plain", "OK".to_owned()),
        "info" => ("application/json", serde_json::json!(info).to_string()),
        _ => return problem(StatusCode::NOT_FOUND, "Spin answers only health and info here."),
    };
    let mut response = Response::new(body::full(text.into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The request's URI with scheme and authority, which a component is entitled to.
fn absolute(head: &http::request::Parts, address: SocketAddr) -> Option<Uri> {
    let authority = match head.uri.authority() {
        Some(authority) => authority.clone(),
        None => match head.headers.get(header::HOST) {
            Some(host) => host.to_str().ok()?.parse().ok()?,
            None => address.to_string().parse().ok()?,
        },
    };
    let path = head.uri.path_and_query()?.clone();
    Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()
}

impl Refused {
    fn response(self) -> Response<WasiBody> {
        let mut response = match self {
            Self::TooLarge => problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request's body is larger than the limit of 32 MiB.",
            ),
            Self::Stalled => problem(
                StatusCode::REQUEST_TIMEOUT,
                "The request's body arrived too slowly. Send it again in one go.",
            ),
            Self::NoRoom => problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "The bodies of other requests are using all the memory reserved for them. Try again in a moment.",
            ),
            Self::Broken => {
                problem(StatusCode::BAD_REQUEST, "The request's body was cut off. Send it again.")
            }
        };
        // What is left of the body would be read as the next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

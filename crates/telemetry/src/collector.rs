//! Requests to the collector.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_client::HttpClient;
use opentelemetry_http::HttpError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::environment;

/// How long an answer may take, in milliseconds, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const LIMIT: usize = 10_000;

/// The longest answer that is read, in bytes.
const MOST_ANSWER: usize = 1 << 20;

/// Sends what the exporters have to send, from whichever thread, over connections that a thread of its own drives. It tells
/// once when the collector is away, and once when it is back.
#[derive(Clone, Debug)]
pub(crate) struct Collector(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    runtime: Handle,
    client: HttpClient,
    limit: Duration,
    is_away: AtomicBool,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Collector {
    /// # Errors
    ///
    /// The thread cannot be started.
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let client = runtime.block_on(async { HttpClient::new() });
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
            // Nothing is ever sent: it ends when the sender is dropped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        let limit = environment::number("OTEL_EXPORTER_OTLP_TIMEOUT", LIMIT) as u64;
        Ok(Self(Arc::new(Shared {
            runtime: handle,
            client,
            limit: Duration::from_millis(limit),
            is_away: AtomicBool::new(false),
            _stop: stop,
        })))
    }

    fn report(&self, failure: Option<&str>) {
        match (self.0.is_away.swap(failure.is_some(), Ordering::Relaxed), failure) {
            (false, Some(failure)) => {
                tell(&format!(
                    "telemetry: {failure}. Telemetry is lost until the collector accepts it again."
                ));
            }
            (true, None) => tell("telemetry: the collector accepts it again."),
            _ => {}
        }
    }
}

#[async_trait]
impl opentelemetry_http::HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let server = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let (client, limit) = (self.0.client.clone(), self.0.limit);
        let exchange = async move { client.exchange(request, limit, MOST_ANSWER).await };
        let answered = self.0.runtime.spawn(exchange).await?;
        match &answered {
            Ok(response) if response.status().is_success() => self.report(None),
            Ok(response) => {
                self.report(Some(&format!("the collector at {server} answers {}", response.status())));
            }
            Err(error) => self.report(Some(&format!("the collector at {server} cannot be reached: {error}"))),
        }
        Ok(answered?)
    }
}

/// Tells the person who runs the app something.
fn tell(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

//! Spans on their way to the collector. Whoever ends a span never waits: where the queue is full, the span is dropped and
//! counted.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

use crate::environment::number;

/// Spans that wait at most, spans in one request, and how long they are gathered, in milliseconds, unless
/// `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` and `OTEL_BSP_SCHEDULE_DELAY` say otherwise.
const QUEUE: usize = 2048;
const BATCH: usize = 512;
const DELAY: usize = 5000;

/// How often it is looked whether the last spans have left.
const FAREWELL: Duration = Duration::from_millis(5);

/// What became of the spans so far.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// The collector took them.
    pub(crate) sent: AtomicU64,
    /// The collector did not.
    pub(crate) lost: AtomicU64,
    /// There was no room for them.
    pub(crate) dropped: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Spans {
    queue: SyncSender<SpanData>,
    /// How many are in the queue, or about to be.
    waiting: Arc<AtomicUsize>,
    batch: usize,
    fates: Arc<Fates>,
    stopping: Arc<AtomicBool>,
    sending: Thread,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Spans {
    /// # Errors
    ///
    /// The thread that sends cannot be started.
    pub(crate) fn start(exporter: impl SpanExporter + 'static, fates: Arc<Fates>) -> std::io::Result<Self> {
        let (queue, spans) = sync_channel(number("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE));
        let batch = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH);
        let delay = Duration::from_millis(number("OTEL_BSP_SCHEDULE_DELAY", DELAY) as u64);
        let (waiting, stopping) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let sender = Sender {
            spans,
            waiting: waiting.clone(),
            batch,
            delay,
            fates: fates.clone(),
            stopping: stopping.clone(),
        };
        let thread = thread::Builder::new().name("spans".to_owned()).spawn(move || sender.run(&exporter))?;
        let sending = thread.thread().clone();
        Ok(Self { queue, waiting, batch, fates, stopping, sending, thread: Mutex::new(Some(thread)) })
    }
}

impl SpanProcessor for Spans {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        if self.queue.try_send(span).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.fates.dropped.fetch_add(1, Ordering::Relaxed);
        } else if waiting == self.batch {
            self.sending.unpark();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.sending.unpark();
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Err(OTelSdkError::AlreadyShutdown);
        };
        self.stopping.store(true, Ordering::Release);
        self.sending.unpark();
        let deadline = Instant::now() + timeout;
        while !thread.is_finished() {
            if Instant::now() > deadline {
                return Err(OTelSdkError::Timeout(timeout));
            }
            thread::sleep(FAREWELL);
        }
        Ok(())
    }
}

/// The end of the queue that sends.
struct Sender {
    spans: Receiver<SpanData>,
    waiting: Arc<AtomicUsize>,
    batch: usize,
    delay: Duration,
    fates: Arc<Fates>,
    stopping: Arc<AtomicBool>,
}

impl Sender {
    fn run(self, exporter: &impl SpanExporter) {
        loop {
            thread::park_timeout(self.delay);
            let is_last = self.stopping.load(Ordering::Acquire);
            // What is less than a batch waits for more, but for the last ones.
            while self.send(exporter) && (is_last || self.waiting.load(Ordering::Relaxed) >= self.batch) {}
            if is_last {
                return;
            }
        }
    }

    /// Sends a batch; whether there was one, and it was taken.
    fn send(&self, exporter: &impl SpanExporter) -> bool {
        let batch: Vec<_> = self.spans.try_iter().take(self.batch).collect();
        if batch.is_empty() {
            return false;
        }
        let count = batch.len();
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        let is_taken = block_on(exporter.export(batch)).is_ok();
        let fate = if is_taken { &self.fates.sent } else { &self.fates.lost };
        fate.fetch_add(count as u64, Ordering::Relaxed);
        is_taken
    }
}

//! What components print: whole lines, to the terminal under the component's name and to the log folder.
//!
//! Guests hand lines to one thread for each of the two, so that no request waits for a terminal or a disk. What waits there is
//! bounded, and so are the logs: lines that nobody takes are dropped and counted, and the oldest go first.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::budget::{Budget, Taken};
use crate::limits;

/// A line longer than this is broken, so that a guest that prints no newline does not fill the memory.
const MAX_LINE: usize = 64 * 1024;

/// What a line takes in addition to its text, in bytes.
const LINE: usize = 64;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(5);

/// How long the app waits, when it ends, for a terminal that takes no lines.
const LAST_LINES: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

#[derive(Clone)]
struct Line {
    component: Arc<str>,
    stream: Stream,
    text: Bytes,
}

/// Takes lines from guests; cheap to clone. The threads behind it end when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Output {
    queues: Arc<[Queue]>,
}

/// The threads that print. They end once every clone of the output is dropped and all lines are written.
pub(crate) struct Printing(Vec<JoinHandle<()>>);

impl Output {
    /// Starts the printing threads: one for the terminal unless `quiet`, and one for `log_folder`, where what a component prints is
    /// appended to `COMPONENT_stdout.txt` and `COMPONENT_stderr.txt`, as Spin does.
    pub(crate) fn start(quiet: bool, log_folder: Option<PathBuf>) -> (Self, Printing) {
        let terminal = (!quiet).then(|| Queue::start(Terminal::new()));
        let logs = log_folder.map(|folder| Queue::start(Logs::new(folder, limits::LOG_FILE)));
        let (queues, threads): (Vec<_>, _) = terminal.into_iter().chain(logs).unzip();
        (Self { queues: queues.into() }, Printing(threads))
    }

    /// A stream of `component`'s, to hand to a guest.
    pub(crate) fn stream(&self, component: Arc<str>, stream: Stream) -> GuestStream {
        GuestStream(Arc::new(Mutex::new(Lines {
            component,
            stream,
            partial: Vec::new(),
            output: self.clone(),
        })))
    }

    fn send(&self, line: &Line) {
        for queue in &*self.queues {
            queue.send(line.clone());
        }
    }
}

impl Printing {
    /// Waits until all is written, or until nobody has taken a line for a while.
    pub(crate) fn finish(self) {
        let patience = Instant::now() + LAST_LINES;
        for thread in self.0 {
            while !thread.is_finished() && Instant::now() < patience {
                std::thread::sleep(GATHER);
            }
            if thread.is_finished() && thread.join().is_err() {
                tell("a printing thread panicked");
            }
        }
    }
}

/// Lines on their way to a thread that writes them.
struct Queue {
    lines: Sender<(Line, Taken)>,
    room: Arc<Budget>,
    dropped: Arc<AtomicU64>,
}

impl Queue {
    fn start(sink: impl Sink + Send + 'static) -> (Self, JoinHandle<()>) {
        let (queue, received) = Self::new(limits::OUTPUT);
        let dropped = queue.dropped.clone();
        (queue, std::thread::spawn(move || write(&received, &dropped, sink)))
    }

    fn new(bytes: usize) -> (Self, Receiver<(Line, Taken)>) {
        let (lines, received) = channel();
        (Self { lines, room: Budget::new(bytes), dropped: Arc::default() }, received)
    }

    fn send(&self, line: Line) {
        match self.room.take(LINE + line.text.len()) {
            // The thread ends only after the last sender.
            Some(taken) => drop(self.lines.send((line, taken))),
            None => drop(self.dropped.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// Where lines go.
trait Sink {
    fn line(&mut self, line: &Line);
    /// So many lines were dropped because the sink was too slow.
    fn dropped(&mut self, lines: u64);
    fn flush(&mut self);
}

fn write(lines: &Receiver<(Line, Taken)>, dropped: &AtomicU64, mut sink: impl Sink) {
    while let Ok(line) = lines.recv() {
        // Lines of the same moment go out in one write, and guests need not wake this thread for each.
        std::thread::sleep(GATHER);
        for (line, _taken) in std::iter::once(line).chain(lines.try_iter()) {
            sink.line(&line);
        }
        let dropped = dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            sink.dropped(dropped);
        }
        sink.flush();
    }
}

/// The standard output and error of the process.
struct Terminal {
    stdout: Printer<io::Stdout>,
    stderr: Printer<io::Stderr>,
}

impl Terminal {
    fn new() -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            stdout: Printer::new(io::IsTerminal::is_terminal(&stdout), stdout),
            stderr: Printer::new(io::IsTerminal::is_terminal(&stderr), stderr),
        }
    }
}

impl Sink for Terminal {
    fn line(&mut self, line: &Line) {
        match line.stream {
            Stream::Stdout => self.stdout.line(line),
            Stream::Stderr => self.stderr.line(line),
        }
    }

    fn dropped(&mut self, lines: u64) {
        tell(&format!("{lines} lines of output were dropped, because they were not read fast enough."));
    }

    fn flush(&mut self) {
        self.stdout.flush();
        self.stderr.flush();
    }
}

struct Printer<W: Write> {
    colour: bool,
    out: io::BufWriter<W>,
}

impl<W: Write> Printer<W> {
    fn new(terminal: bool, out: W) -> Self {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour, out: io::BufWriter::new(out) }
    }

    /// A closed terminal or pipe must not stop the app: what cannot be printed is dropped.
    fn line(&mut self, line: &Line) {
        let _ = if self.colour {
            write!(self.out, "\x1b[2m{} |\x1b[0m ", line.component)
        } else {
            write!(self.out, "{} | ", line.component)
        };
        let _ = self.out.write_all(&line.text);
        let _ = self.out.write_all(b"\n");
    }

    fn flush(&mut self) {
        let _ = self.out.flush();
    }
}

/// The files of a folder, two for each stream: the one that is appended to, and the one before it.
struct Logs {
    folder: PathBuf,
    /// A file is put aside when it has so many bytes.
    limit: u64,
    files: HashMap<(Arc<str>, Stream), Option<Log>>,
}

impl Logs {
    fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit, files: HashMap::new() }
    }
}

impl Sink for Logs {
    fn line(&mut self, line: &Line) {
        let Self { folder, limit, files } = self;
        let log = files.entry((line.component.clone(), line.stream)).or_insert_with(|| {
            let stream = match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let path = folder.join(format!("{}_{stream}.txt", line.component));
            fs::create_dir_all(folder)
                .and_then(|()| Log::open(&path))
                .inspect_err(|error| tell(&format!("cannot write the log {}: {error}", path.display())))
                .ok()
        });
        if let Some(log) = log {
            // A full disk is reported by what matters, the stores.
            let _ = log.line(&line.text, *limit);
        }
    }

    fn dropped(&mut self, lines: u64) {
        tell(&format!(
            "{lines} lines were not logged, because writing to {} is too slow.",
            self.folder.display()
        ));
    }

    fn flush(&mut self) {
        for log in self.files.values_mut().flatten() {
            let _ = log.out.flush();
        }
    }
}

struct Log {
    path: PathBuf,
    out: io::BufWriter<File>,
    length: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), out: io::BufWriter::new(file), length })
    }

    fn line(&mut self, text: &[u8], limit: u64) -> io::Result<()> {
        let length = text.len() as u64 + 1;
        if self.length > 0 && self.length + length > limit {
            self.out.flush()?;
            fs::rename(&self.path, self.path.with_extension("1.txt"))?;
            *self = Self::open(&self.path)?;
        }
        self.length += length;
        self.out.write_all(text)?;
        self.out.write_all(b"\n")
    }
}

/// Tells the person who runs the app something, on standard error.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// The standard output or error of one instance.
#[derive(Clone)]
pub(crate) struct GuestStream(Arc<Mutex<Lines>>);

struct Lines {
    component: Arc<str>,
    stream: Stream,
    partial: Vec<u8>,
    output: Output,
}

impl Lines {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.partial.extend_from_slice(end);
                    self.send();
                }
                None => self.partial.extend_from_slice(piece),
            }
            if self.partial.len() >= MAX_LINE {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let text = mem::take(&mut self.partial).into();
        self.output.send(&Line { component: self.component.clone(), stream: self.stream, text });
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            self.send();
        }
    }
}

impl GuestStream {
    fn write_all(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write_all(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

impl AsyncWrite for GuestStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_all(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            component: "api".into(),
            stream: Stream::Stdout,
            text: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted() {
        let (queue, received) = Queue::new(10 * (LINE + 4));
        for _ in 0..25 {
            queue.send(line("text"));
        }
        assert_eq!((received.try_iter().count(), queue.dropped.load(Ordering::Relaxed)), (10, 15));
        queue.send(line("text"));
        assert_eq!(received.try_iter().count(), 1, "what was taken makes room");
    }

    #[test]
    fn logs_keep_the_last_lines_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut last = String::new();
        // Twice, as a new start goes on with the files that are there.
        for start in [0, 5_000] {
            let mut logs = Logs::new(folder.path().to_owned(), 1_000);
            for number in start..start + 5_000 {
                last = format!("line {number}");
                logs.line(&line(&last));
            }
            logs.flush();
        }
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let (before, now) = (text("api_stdout.1.txt"), text("api_stdout.txt"));
        assert!(
            before.len() <= 1_000 && now.len() <= 1_000 && before.len() > 900,
            "{} {}",
            before.len(),
            now.len()
        );
        assert_eq!(now.lines().next_back(), Some(&*last));
        let kept: Vec<u32> = [before, now]
            .concat()
            .lines()
            .map(|line| line.strip_prefix("line ").unwrap().parse().unwrap())
            .collect();
        assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{kept:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

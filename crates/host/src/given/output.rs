//! What components print: whole lines, to the terminal under the component's name and to the log folder.
//!
//! Guests hand lines to one thread, so that no request waits for a terminal or a disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A line longer than this is broken, so that a guest that prints no newline does not fill the memory.
const MAX_LINE: usize = 64 * 1024;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

struct Line {
    component: Arc<str>,
    stream: Stream,
    text: Vec<u8>,
}

/// Takes lines from guests; cheap to clone. The thread behind it ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Output {
    lines: Sender<Line>,
}

impl Output {
    /// Starts the printing thread, which prints nothing if `quiet`. With `log_folder`, what a component prints is also appended to
    /// `COMPONENT_stdout.txt` and `COMPONENT_stderr.txt` there, as Spin does. The handle ends once every clone of
    /// the output is dropped and all lines are written.
    pub(crate) fn start(quiet: bool, log_folder: Option<PathBuf>) -> (Self, JoinHandle<()>) {
        let (lines, received) = channel();
        let thread = std::thread::spawn(move || print(&received, quiet, log_folder.as_deref()));
        (Self { lines }, thread)
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
}

fn print(lines: &Receiver<Line>, quiet: bool, log_folder: Option<&Path>) {
    let mut logs = Logs { folder: log_folder, files: HashMap::new() };
    let mut stdout =
        Printer::new(std::io::IsTerminal::is_terminal(&io::stdout()), io::BufWriter::new(io::stdout()));
    let mut stderr =
        Printer::new(std::io::IsTerminal::is_terminal(&io::stderr()), io::BufWriter::new(io::stderr()));
    while let Ok(line) = lines.recv() {
        // Lines of the same moment go out in one write, and guests need not wake this thread for each.
        std::thread::sleep(GATHER);
        for line in std::iter::once(line).chain(lines.try_iter()) {
            match line.stream {
                _ if quiet => {}
                Stream::Stdout => stdout.line(&line),
                Stream::Stderr => stderr.line(&line),
            }
            logs.line(&line);
        }
        // What a person has seen is in the log as well.
        logs.flush();
        stdout.flush();
        stderr.flush();
    }
}

struct Printer<W> {
    colour: bool,
    out: W,
}

impl<W: Write> Printer<W> {
    fn new(terminal: bool, out: W) -> Self {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour, out }
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

struct Logs<'a> {
    folder: Option<&'a Path>,
    files: HashMap<(Arc<str>, Stream), Option<io::BufWriter<File>>>,
}

impl Logs<'_> {
    fn line(&mut self, line: &Line) {
        let Some(folder) = self.folder else { return };
        let file = self.files.entry((line.component.clone(), line.stream)).or_insert_with(|| {
            let stream = match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let path = folder.join(format!("{}_{stream}.txt", line.component));
            let file = std::fs::create_dir_all(folder)
                .and_then(|()| File::options().create(true).append(true).open(&path));
            file.map(io::BufWriter::new)
                .inspect_err(|error| tell(&format!("cannot write the log {}: {error}", path.display())))
                .ok()
        });
        if let Some(file) = file {
            // A full disk is reported by what matters, the stores.
            let _ = file.write_all(&line.text);
            let _ = file.write_all(b"\n");
        }
    }

    fn flush(&mut self) {
        for file in self.files.values_mut().flatten() {
            let _ = file.flush();
        }
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
        let text = mem::take(&mut self.partial);
        // The printing thread ends only after the last sender.
        let _ = self.output.lines.send(Line { component: self.component.clone(), stream: self.stream, text });
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

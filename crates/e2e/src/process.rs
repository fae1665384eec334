//! A process that a test started: its output is kept and, when the test fails, shown; it ends with its value.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for what should happen soon, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen that {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Log>,
    has_children: bool,
}

#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<String>,
    /// How many of standard output and standard error have ended.
    ended: usize,
}

impl Process {
    /// Starts a command; `name` is what messages call it.
    pub fn start(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let log = Arc::new(Log::default());
        log.keep(child.stdout.take().unwrap());
        log.keep(child.stderr.take().unwrap());
        Self { name: name.to_owned(), child, log, has_children: false }
    }

    /// The same for a process that ends its own children when it is asked to end, but not when it is killed.
    #[must_use]
    pub fn with_children(mut self) -> Self {
        self.has_children = true;
        self
    }

    /// The first line, of those printed and those to come, in which `find` finds something. Without one the test fails.
    pub fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        self.try_wait_for(find).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same; without one, what the process did instead.
    pub fn try_wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines();
        let mut seen = 0;
        loop {
            if let Some(found) = lines.text[seen..].iter().find_map(|line| find(line)) {
                return Ok(found);
            }
            seen = lines.text.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if lines.ended == 2 || left.is_zero() {
                let did = if left.is_zero() { "is late" } else { "ended" };
                return Err(format!("{} {did}, having printed:\n{}", self.name, lines.text.join("\n")));
            }
            lines = self.log.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        self.log.lines().text.join("\n")
    }

    /// What the system calls it; where it has a child that does the work, what the system calls that one.
    pub fn id(&self) -> u32 {
        let id = self.child.id();
        let children = || fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let first = |children: String| children.split_whitespace().next()?.parse().ok();
        self.has_children.then(children).and_then(first).unwrap_or(id)
    }

    /// Sends a signal, such as `TERM`, to the process with its [`id`](Self::id). One that waits for its child ends with it.
    pub fn signal(&self, name: &str) {
        assert!(send(name, self.id()), "{} is gone", self.name);
    }

    /// Its exit status, once it has ended and its output is complete.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.ended_within(PATIENCE);
        let status = status.unwrap_or_else(|| panic!("{} does not end:\n{}", self.name, self.output()));
        let mut lines = self.log.lines();
        while lines.ended < 2 {
            lines = self.log.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
        status
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            let status = self.child.try_wait().unwrap();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- {}\n{}\n---", self.name, self.output());
        }
        if self.has_children && self.child.try_wait().is_ok_and(|status| status.is_none()) {
            send("TERM", self.child.id());
            if self.ended_within(Duration::from_secs(10)).is_none() {
                send("KILL", self.id());
            }
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is a process to send the signal to.
fn send(signal: &str, id: u32) -> bool {
    Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().unwrap().success()
}

impl Log {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        let log = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.lines().text.push(String::from_utf8_lossy(&line).into_owned());
                log.changed.notify_all();
            }
            log.lines().ended += 1;
            log.changed.notify_all();
        });
    }
}

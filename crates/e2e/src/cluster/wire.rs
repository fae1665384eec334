//! A wire to a port of this machine, which can be made slow or silent: what a network does, outside the app.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How a wire is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quality {
    /// Everything passes at once.
    #[default]
    Good,
    /// What is sent arrives so much later.
    Slow(Duration),
    /// Nothing passes, and nobody is told.
    Cut,
}

/// A wire. Its connections break when this is dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    target: AtomicU16,
    quality: Mutex<Quality>,
    changed: Condvar,
    /// Both ends of each, as long as it passes anything.
    connections: Mutex<Vec<Weak<TcpStream>>>,
    ended: AtomicBool,
}

impl Wire {
    /// A wire to this port.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        wire.lead_to(target);
        let state = Arc::clone(&wire.state);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // The value that is dropped makes one last connection.
                if state.ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", state.target.load(Ordering::Relaxed))) else {
                    continue;
                };
                let (near, far) = (Arc::new(near), Arc::new(far));
                pass(&state, near.clone(), far.clone());
                pass(&state, far.clone(), near.clone());
                // A client that connects anew for each command would use up the process's files.
                let mut connections = lock(&state.connections);
                connections.retain(|end| end.strong_count() > 0);
                connections.extend([Arc::downgrade(&near), Arc::downgrade(&far)]);
            }
        });
        wire
    }

    /// A Redis database at its other end.
    pub fn url(&self, database: u8) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// Leads new connections to another port; those that there are stay.
    pub fn lead_to(&self, target: u16) {
        self.state.target.store(target, Ordering::Relaxed);
    }

    /// Makes it good, slow or silent. What was held back while it was cut passes once it is not.
    pub fn set(&self, quality: Quality) {
        *lock(&self.state.quality) = quality;
        self.state.changed.notify_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.set(Quality::Good);
        for connection in lock(&self.state.connections).drain(..).filter_map(|end| end.upgrade()) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.state.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Carries what comes from one end to the other, each piece when its time has come.
fn pass(state: &Arc<State>, from: Arc<TcpStream>, to: Arc<TcpStream>) {
    let _ = to.set_nodelay(true);
    let (send, receive) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (reading, writing) = (Arc::downgrade(state), Arc::downgrade(state));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = (&*from).read(&mut buffer) {
            let Some(state) = reading.upgrade() else { break };
            let delay = match *lock(&state.quality) {
                Quality::Slow(delay) => delay,
                Quality::Good | Quality::Cut => Duration::ZERO,
            };
            if send.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, piece) in receive {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let Some(state) = writing.upgrade() else { break };
            let mut quality = lock(&state.quality);
            while *quality == Quality::Cut {
                quality = state.changed.wait(quality).unwrap_or_else(PoisonError::into_inner);
            }
            drop(quality);
            if (&*to).write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::until;

    #[test]
    fn a_connection_that_has_ended_keeps_no_file_open() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::to(server.local_addr().unwrap().port());
        for _ in 0..100 {
            let mut client = TcpStream::connect(("127.0.0.1", wire.port)).unwrap();
            client.write_all(b"?").unwrap();
            let (mut far, _) = server.accept().unwrap();
            far.read_exact(&mut [0]).unwrap();
            far.write_all(b"!").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        let open = || lock(&wire.state.connections).iter().filter(|end| end.strong_count() > 0).count();
        until("all are closed", || open() == 0);
    }
}

//! What one app may use of the machine.

use std::time::Duration;

/// Requests that one component handles at the same time; more wait for [`CAPACITY_WAIT`].
pub(crate) const CAPACITY: usize = 256;

/// How long a request waits for a free instance before it is answered 503.
pub(crate) const CAPACITY_WAIT: Duration = Duration::from_secs(1);

/// Instances of one component: those of the requests in flight, and as many that are idle or go on after their answer. A request for
/// which there is none waits, and other components are not concerned.
pub(crate) const INSTANCES: usize = 2 * CAPACITY;

/// Requests that one instance handles in its life, one at a time, as many as with Spin.
pub(crate) const REQUESTS_PER_INSTANCE: usize = 128;

/// How long an instance is kept without a request, as long as with Spin.
pub(crate) const IDLE_INSTANCE: Duration = Duration::from_secs(1);

/// Linear memory of one instance, in bytes.
pub(crate) const INSTANCE_MEMORY: usize = 256 * 1024 * 1024;

/// Linear memory of all instances of an app together, in bytes. A request for which there is none is answered 503.
pub(crate) const GUEST_MEMORY: usize = 1024 * 1024 * 1024;

/// An instance counts as having at least this much linear memory, in bytes, which bounds how many there are in an app.
pub(crate) const LEAST_MEMORY: usize = 1024 * 1024;

/// How long work may go on after the answer has begun: the body of a slow reader's answer is still being written, or an observation
/// counted. The instance counts as one of its component's [`INSTANCES`], and its memory as part of [`GUEST_MEMORY`], all the while.
pub(crate) const POST_RETURN: Duration = Duration::from_mins(10);

/// How often a computing guest lets the others on its thread go on.
pub(crate) const EPOCH: Duration = Duration::from_millis(2);

/// A request body may not be longer, in bytes.
pub(crate) const REQUEST_BODY: u64 = 32 * 1024 * 1024;

/// Memory for the bodies of requests that no guest has taken yet, over all connections, in bytes.
pub(crate) const REQUEST_BODIES: usize = 64 * 1024 * 1024;

/// A request body has to come at least this fast, in bytes a second, after a head start of [`CLIENT_STALL`].
pub(crate) const BODY_RATE: usize = 64 * 1024;

/// Bodies of answers up to this length, in bytes, are written with their head in one piece.
pub(crate) const SMALL_BODY: u64 = 64 * 1024;

/// How long a client may take over the head of a request, and over the first piece of its body.
pub(crate) const CLIENT_STALL: Duration = Duration::from_secs(30);

/// Connections open at the same time, over all threads.
pub(crate) const CONNECTIONS: usize = 8192;

/// Open files that are no connections of clients: those of the stores, and connections to models and other servers.
pub(crate) const OTHER_FILES: usize = 512;

/// How long the answer to wrong credentials is held back: a guesser on one connection gets four tries a second.
pub(crate) const WRONG_CREDENTIALS: Duration = Duration::from_millis(250);

/// What components have printed and nobody has taken yet, in bytes, for the terminal and for the logs each.
pub(crate) const OUTPUT: usize = 8 * 1024 * 1024;

/// A log file is put aside when it has this many bytes, in place of the one that was put aside before.
pub(crate) const LOG_FILE: u64 = 16 * 1024 * 1024;

/// How long requests in flight may take to finish once the app has been told to stop.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(30);

//! HTTP to servers outside the app, as Spin's outbound HTTP makes it: the embedded runtime sends the requests of components
//! and of the model interface with it, and the command line its own.
//!
//! HTTP/1.1, over TLS where the address says so. Connections are kept and reused, redirects are passed on and not
//! followed, and whoever drops a request or a response that is not finished closes its connection. No lock is held.
//!
//! - [`client`]: sending a request.
//! - [`error`]: why there is no response.
//! - `connect`: making a connection.
//! - `proxies`: which proxy is to be used.
//! - `roots`: which certificates are trusted.
//! - `timed_body`: a response that must not pause for too long.

pub mod client;
mod connect;
pub mod error;
mod proxies;
mod roots;
mod timed_body;

pub use client::{HttpClient, RequestBody, ResponseBody, Timeouts};
pub use error::Error;

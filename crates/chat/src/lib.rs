//! OpenAI's chat protocol as the app uses it: one prompt in, one completion out.
//!
//! No I/O: the component `inference` sends these requests over Spin's outbound HTTP and `cargo ab` over its own client, so
//! both ask for the same thing, and both give the same reason where there is no completion.
//!
//! - [`server`]: where the model is, and the requests to it.
//! - [`question`]: what is asked.
//! - [`dialect`]: the form of a question, as servers take different ones.
//! - [`completion`]: reading what came back.
//! - [`models`]: reading the list of a server's models.
//! - [`failure_kind`]: what can go wrong, and what is said about it to the operator and to the visitor.
//! - [`failure`]: why there is no completion.
//!
//! ```
//! use chat::{Completion, Dialect, Failure, Question, Server};
//! # fn send(_: http::Request<String>) -> http::Response<Vec<u8>> {
//! #     http::Response::new(br#"{"choices": [{"message": {"content": "positive"}}]}"#.to_vec())
//! # }
//!
//! /// `dialect` outlives the question: it is what this server was last seen to take.
//! fn ask(server: &Server, question: &Question, dialect: &mut Dialect) -> Result<Completion, Failure> {
//!     let mut tried = *dialect;
//!     loop {
//!         let response = send(server.chat_request(question, tried));
//!         match server.read_completion(question, &response) {
//!             Ok(completion) => {
//!                 *dialect = tried;
//!                 return Ok(completion);
//!             }
//!             Err(failure) => tried = tried.after_refusal(&failure).ok_or(failure)?,
//!         }
//!     }
//! }
//!
//! let server = Server::new("http://127.0.0.1:8080", "/v1", "")?;
//! let question = Question { model: "llama2-chat", prompt: "…", max_tokens: 6, temperature: 0.0, seed: Some(0) };
//! assert_eq!(ask(&server, &question, &mut Dialect::default()).unwrap().text, "positive");
//! # Ok::<(), chat::InvalidVariable>(())
//! ```

pub mod completion;
pub mod dialect;
mod error_message;
pub mod failure;
pub mod failure_kind;
pub mod models;
pub mod question;
pub mod server;

pub use completion::Completion;
pub use dialect::{Dialect, Parameter};
pub use failure::Failure;
pub use failure_kind::FailureKind;
pub use question::Question;
pub use server::{InvalidVariable, Server};

/// The longest answer worth reading, in bytes. A server that sends more is a [`FailureKind::TooLarge`].
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

//! Errors for people: what was wrong, and what to do about it.

use std::fmt;
use std::sync::LazyLock;

use host::LoadError;
use host::models::ModelError;
use spin_app::{Fault, FileError};
use stores::StoreError;

/// A command failed. The message names the value at fault; the hint says what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    status: u8,
}

/// A failure with this message, no hint, and exit status 1.
pub(crate) fn failure(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), hint: None, status: 1 }
}

/// A person broke off: exit status 130, as for a program that SIGINT ended.
pub(crate) fn interrupted() -> Failure {
    Failure { message: "interrupted".to_owned(), hint: None, status: 130 }
}

impl Failure {
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with another exit status than 1.
    pub(crate) fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// What to do about an error, where it says so, and the exit status.
    pub(crate) fn advice(error: &anyhow::Error) -> (Option<String>, u8) {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return (failure.hint.clone(), failure.status);
        }
        let of_store = || error.downcast_ref::<StoreError>()?.hint().map(str::to_owned);
        let of_file = || error.downcast_ref::<FileError>()?.hint();
        let of_place = || Some(error.downcast_ref::<Fault>()?.hint.clone());
        let of_app = || error.downcast_ref::<LoadError>()?.hint();
        let of_model = || error.downcast_ref::<ModelError>()?.hint().map(str::to_owned);
        (of_store().or_else(of_file).or_else(of_place).or_else(of_app).or_else(of_model), 1)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// How this program was called, for hints that can be copied: `spin ab`, `cargo ab` or `ab`.
pub(crate) fn program() -> &'static str {
    static PROGRAM: LazyLock<&str> = LazyLock::new(|| {
        let set = |name| std::env::var_os(name).is_some();
        match () {
            () if set("SPIN_BIN_PATH") => "spin ab",
            () if set("CARGO") => "cargo ab",
            () => "ab",
        }
    });
    &PROGRAM
}

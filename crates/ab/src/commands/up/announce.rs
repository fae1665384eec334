//! What a person needs to use the app: addresses and credentials.

use std::net::SocketAddr;

use spin_app::manifest::{Manifest, Route};

use super::credentials::Credentials;
use crate::prepare::offline::Offline;
use crate::terminal::{Printer, program};

/// Prints the app's routes as `spin up` does, and what was set up for this run.
pub(super) fn print(
    manifest: &Manifest,
    address: SocketAddr,
    credentials: Option<&Credentials>,
    offline: Option<&Offline>,
    model: Option<&str>,
    printer: Printer,
) {
    if let Some(Offline { url }) = offline {
        printer.message(format_args!("\nModel: the {} at {url}", offline_model::DESCRIPTION));
        printer
            .message("       for a real one, set the variables `model_server` and `model` (see README.md)");
    } else if let Some(model) = model {
        printer.message(format_args!("\nModel: {model}; `{} model check` tries it", program()));
    }
    if let Some(Credentials { user, password }) = credentials {
        printer.message(format_args!(
            "\nKey value explorer and annotations, for this run: user {user}, password {password}"
        ));
    }
    printer.message(format_args!("\nServing http://{address}"));
    printer.message("Available Routes:");
    for trigger in &manifest.triggers {
        let Route::Public(route) = &trigger.route else { continue };
        let (path, wildcard) = match route.strip_suffix("/...") {
            Some(path) => (path, " (wildcard)"),
            None => (route.as_str(), ""),
        };
        printer.message(format_args!("  {}: http://{address}{path}{wildcard}", trigger.component));
    }
}

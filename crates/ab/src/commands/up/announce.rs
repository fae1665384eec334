//! What a person needs to use the app: addresses and credentials.

use std::fmt::Write as _;
use std::net::SocketAddr;

use spin_app::manifest::{Manifest, Route};

use super::credentials::Credentials;
use crate::prepare::offline::Offline;
use crate::terminal::program;

/// The app's routes, as `spin up` prints them, and what was set up for this run.
pub(super) fn text(
    manifest: &Manifest,
    address: SocketAddr,
    credentials: Option<&Credentials>,
    offline: Option<&Offline>,
    model: Option<&str>,
) -> String {
    let mut text = String::new();
    if let Some(Offline { url }) = offline {
        _ = writeln!(text, "\nModel: the {} at {url}", offline_model::DESCRIPTION);
        text.push_str(
            "       for a real one, set the variables `model_server` and `model` (see README.md)\n",
        );
    } else if let Some(model) = model {
        _ = writeln!(text, "\nModel: {model}; `{} model check` tries it", program());
    }
    if let Some(Credentials { user, password }) = credentials {
        _ = writeln!(
            text,
            "\nKey value explorer and annotations, for this run: user {user}, password {password}"
        );
    }
    _ = write!(text, "\nServing http://{address}\nAvailable Routes:");
    for trigger in &manifest.triggers {
        let Route::Public(route) = &trigger.route else { continue };
        let (path, wildcard) = match route.strip_suffix("/...") {
            Some(path) => (path, " (wildcard)"),
            None => (route.as_str(), ""),
        };
        _ = write!(text, "\n  {}: http://{address}{path}{wildcard}", trigger.component);
    }
    text
}

//! The explorer's credentials: made for one run where nobody set them.

use std::collections::BTreeMap;
use std::env;

use rand::RngExt as _;
use rand::distr::Alphanumeric;
use spin_app::manifest::Manifest;

const USER: &str = "kv_explorer_user";
const PASSWORD: &str = "kv_explorer_password";

/// Made for this run only, so they can be shown.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// Sets the variables of the explorer's credentials, where the app has them and neither is set on the command line or
/// in the environment.
pub(super) fn make(manifest: &Manifest, variables: &mut BTreeMap<String, String>) -> Option<Credentials> {
    let names = [USER, PASSWORD];
    let set = |name: &str| {
        variables.contains_key(name)
            || env::var_os(format!("SPIN_VARIABLE_{}", name.to_uppercase())).is_some()
    };
    if names.iter().any(|name| set(name) || !manifest.variables.contains_key(*name)) {
        return None;
    }
    let password = rand::rng().sample_iter(Alphanumeric).take(20).map(char::from).collect();
    let credentials = Credentials { user: "admin".to_owned(), password };
    variables.insert(USER.to_owned(), credentials.user.clone());
    variables.insert(PASSWORD.to_owned(), credentials.password.clone());
    Some(credentials)
}

//! The explorer's credentials: made for one run where nobody set them.

use rand::RngExt as _;
use rand::distr::Alphanumeric;
use spin_app::Manifest;
use spin_app::variables::Providers;

const USER: &str = "kv_explorer_user";
const PASSWORD: &str = "kv_explorer_password";

/// Made for this run only, so they can be shown.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// Sets the variables of the explorer's credentials, where the app has them and nobody gave either of them a value.
pub(super) fn make(app: &Manifest, variables: &mut Providers) -> Option<Credentials> {
    let wanted = |name| app.variables.contains_key(name) && variables.given(name).is_none();
    if !wanted(USER) || !wanted(PASSWORD) {
        return None;
    }
    let password = rand::rng().sample_iter(Alphanumeric).take(20).map(char::from).collect();
    let credentials = Credentials { user: "admin".to_owned(), password };
    variables.give(USER, credentials.user.clone());
    variables.give(PASSWORD, credentials.password.clone());
    Some(credentials)
}

//! Who may call the API.

use api::sign_in::{self, Realm};
use http::HeaderMap;
use problem::Problem;

use crate::settings::Settings;

const REALM: Realm = Realm {
    name: "key-value explorer",
    challenge: "Basic realm=\"Key-value explorer\", charset=\"UTF-8\"",
    sign_in: "Sign in with the user and the password of `kv_credentials`.",
    not_configured: "No credentials are configured, so nobody may sign in. Set the component variable `kv_credentials` to \
         `user:password`; where the manifest builds it from `kv_explorer_user` and `kv_explorer_password`, start the app \
         with SPIN_VARIABLE_KV_EXPLORER_USER and SPIN_VARIABLE_KV_EXPLORER_PASSWORD in the environment. On a machine of \
         your own, `--env SPIN_APP_KV_SKIP_AUTH=1` switches the check off.",
};

/// Lets a caller with the right credentials pass.
pub(crate) fn check(settings: &Settings, headers: &HeaderMap) -> Result<(), Problem> {
    if settings.skip_sign_in {
        return Ok(());
    }
    sign_in::check(&REALM, settings.credentials.as_deref(), headers).map(drop)
}

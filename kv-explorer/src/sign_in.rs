//! Who may call the API: HTTP Basic credentials (RFC 7617).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, StatusCode};
use problem::Problem;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Clients differ in whether they pad.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Lets a caller with the right credentials pass. Wrong ones are logged with the caller's address. They are answered at once: an
/// instance that waited would be one less for the right ones. The embedded runtime holds such answers back by itself.
#[cfg(target_family = "wasm")]
pub(crate) fn check(settings: &crate::settings::Settings, headers: &HeaderMap) -> Result<(), Problem> {
    if settings.skip_sign_in {
        return Ok(());
    }
    let expected = settings.credentials.as_deref().ok_or_else(not_configured)?;
    match offered(headers) {
        Some(credentials) if same(&credentials, expected.as_bytes()) => Ok(()),
        Some(_) => {
            let client =
                headers.get("spin-client-addr").and_then(|value| value.to_str().ok()).unwrap_or("unknown");
            api::log::warn(format_args!("The key-value explorer refused wrong credentials from {client}."));
            Err(unauthorized("The user or the password is wrong."))
        }
        None => Err(unauthorized("Sign in with the user and the password of `kv_credentials`.")),
    }
}

/// The credentials that the client sent. Unreadable ones are wrong, not missing.
fn offered(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get("authorization")?.as_bytes();
    let (scheme, rest) = value.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"basic ").then(|| LENIENT.decode(rest.trim_ascii()).unwrap_or_default())
}

/// Compares digests, in a time that reveals neither where two credentials differ nor how long the right ones are.
/// The whole of `user:password` is compared at once, so that a password may hold a colon.
fn same(offered: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(offered).ct_eq(&Sha256::digest(expected)).into()
}

fn unauthorized(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with_header("www-authenticate", "Basic realm=\"Key-value explorer\", charset=\"UTF-8\"")
}

fn not_configured() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "No credentials are configured, so nobody may sign in. Set the component variable `kv_credentials` to \
         `user:password`; where the manifest builds it from `kv_explorer_user` and `kv_explorer_password`, start the app \
         with SPIN_VARIABLE_KV_EXPLORER_USER and SPIN_VARIABLE_KV_EXPLORER_PASSWORD in the environment. On a machine of \
         your own, `--env SPIN_APP_KV_SKIP_AUTH=1` switches the check off.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;

    fn accepted(authorization: &str, expected: &str) -> Option<bool> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        offered(&headers).map(|credentials| same(&credentials, expected.as_bytes()))
    }

    #[test]
    fn right_ones() {
        for credentials in ["user:password", "user:pass:word:", "ada:pâsswörd 🔑", "u:p"] {
            let encoded = BASE64_STANDARD.encode(credentials);
            for scheme in ["Basic", "basic", "BASIC"] {
                assert_eq!(
                    accepted(&format!("{scheme} {encoded}"), credentials),
                    Some(true),
                    "{credentials}"
                );
            }
            let unpadded = encoded.trim_end_matches('=');
            assert_eq!(accepted(&format!("Basic {unpadded}"), credentials), Some(true), "{credentials}");
        }
    }

    #[test]
    fn wrong_ones() {
        for credentials in ["user:passwor", "user:password2", "User:password", ":password", "user:", ":", ""]
        {
            let encoded = BASE64_STANDARD.encode(credentials);
            assert_eq!(accepted(&format!("Basic {encoded}"), "user:password"), Some(false), "{credentials}");
        }
        assert_eq!(accepted("Basic ???", "user:password"), Some(false));
        for missing in ["Bearer dXNlcjpwYXNzd29yZA==", "Basic", ""] {
            assert_eq!(accepted(missing, "user:password"), None, "{missing}");
        }
    }
}

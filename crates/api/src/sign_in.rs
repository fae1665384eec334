//! Who may sign in: HTTP Basic credentials (RFC 7617).

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

/// What people sign in to.
#[derive(Clone, Copy, Debug)]
pub struct Realm {
    /// What it is called in the log.
    pub name: &'static str,
    /// The header `www-authenticate`.
    pub challenge: &'static str,
    /// What to do without credentials.
    pub sign_in: &'static str,
    /// What to do where none are configured.
    pub not_configured: &'static str,
}

/// Lets a caller with the right credentials pass, and says who it is. `expected` is `user:password`, or `user,user:password` where several
/// people share a password; so a name has neither a comma nor a colon. Wrong ones are logged with the caller's address. They are
/// answered at once: an instance that waited would be one less for the right ones. The embedded runtime holds such answers back by
/// itself.
pub fn check<'e>(realm: &Realm, expected: Option<&'e str>, headers: &HeaderMap) -> Result<&'e str, Problem> {
    let expected = expected.ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, realm.not_configured))?;
    match offered(headers) {
        Some(credentials) => who(&credentials, expected).ok_or_else(|| {
            let client =
                headers.get("spin-client-addr").and_then(|value| value.to_str().ok()).unwrap_or("unknown");
            crate::log::warn(format_args!("The {} refused wrong credentials from {client}.", realm.name));
            unauthorized(realm, "The user or the password is wrong.")
        }),
        None => Err(unauthorized(realm, realm.sign_in)),
    }
}

/// A manifest builds a variable as `{{ user }}:{{ password }}`, so that `:`, `user:` and `:password` mean that the person who runs
/// the app has not set both yet.
pub fn usable(credentials: String) -> Option<String> {
    let (user, password) = credentials.split_once(':')?;
    (!user.is_empty() && !password.is_empty()).then_some(credentials)
}

/// The credentials that the client sent. Unreadable ones are wrong, not missing.
fn offered(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get("authorization")?.as_bytes();
    let (scheme, rest) = value.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"basic ").then(|| LENIENT.decode(rest.trim_ascii()).unwrap_or_default())
}

/// Whose credentials they are. Everybody's are compared, so that the time does not tell whose came near.
fn who<'e>(offered: &[u8], expected: &'e str) -> Option<&'e str> {
    let (users, password) = expected.split_once(':')?;
    let users = users.split(',').map(str::trim).filter(|user| !user.is_empty());
    users.fold(None, |found, user| {
        let is_theirs = same(offered, format!("{user}:{password}").as_bytes());
        if is_theirs { Some(user) } else { found }
    })
}

/// Compares digests, in a time that reveals neither where two credentials differ nor how long the right ones are.
/// The whole of `user:password` is compared at once, so that a password may hold a colon.
fn same(offered: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(offered).ct_eq(&Sha256::digest(expected)).into()
}

fn unauthorized(realm: &Realm, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail).with_header("www-authenticate", realm.challenge)
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

    #[test]
    fn credentials_need_both_parts() {
        for (value, is_usable) in [
            ("", false),
            (":", false),
            ("user:", false),
            (":secret", false),
            ("user", false),
            ("user:a:b", true),
        ] {
            assert_eq!(usable(value.to_owned()).is_some(), is_usable, "{value:?}");
        }
    }

    #[test]
    fn the_user_is_named() {
        let realm =
            Realm { name: "test", challenge: "Basic", sign_in: "Sign in.", not_configured: "Set it." };
        let mut headers = HeaderMap::new();
        let status = |expected, headers: &HeaderMap| {
            check(&realm, expected, headers).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(status(None, &headers), Err(403));
        assert_eq!(status(Some("ada:a:b"), &headers), Err(401));
        headers
            .insert("authorization", format!("Basic {}", BASE64_STANDARD.encode("ada:a:b")).parse().unwrap());
        assert_eq!(status(Some("ada:a:b"), &headers), Ok("ada"));
        assert_eq!(status(Some("ada:a"), &headers), Err(401));
    }

    #[test]
    fn several_people_share_a_password() {
        for (offered, expected, found) in [
            ("ada:a:b", "ada, bob:a:b", Some("ada")),
            ("bob:a:b", "ada, bob:a:b", Some("bob")),
            ("ada, bob:a:b", "ada, bob:a:b", None),
            (" bob:a:b", "ada, bob:a:b", None),
            ("bob:a", "ada, bob:a:b", None),
            (":a", ",:a", None),
        ] {
            assert_eq!(who(offered.as_bytes(), expected), found, "{offered}");
        }
    }
}

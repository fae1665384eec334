//! Where a call comes from: pages of other origins neither read nor change anything.
//!
//! The API sends no CORS headers, so that no other page can read an answer; and since a browser may attach credentials
//! that it remembers, calls that another page sends are refused as well.

use problem::Problem;
use spin_sdk::http::{HeaderMap, StatusCode, Uri};

/// Refuses a call that a browser marks as another site's or another origin's.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    // Typed addresses and links of this origin are `none` and `same-origin`; clients other than browsers send nothing.
    let same_site = text("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    let same_origin = text("origin").is_none_or(|origin| is_own(origin, own_host(headers).as_deref()));
    if same_site && same_origin {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "The explorer answers only its own page and clients that are not browsers.",
    ))
}

/// The host and port that the client asked for. The host's header tells it even where `host` itself is not passed on.
fn own_host(headers: &HeaderMap) -> Option<String> {
    if let Some(host) = headers.get("host").and_then(|value| value.to_str().ok()) {
        return Some(host.to_ascii_lowercase());
    }
    let full_url: Uri = headers.get("spin-full-url")?.to_str().ok()?.parse().ok()?;
    full_url.authority().map(|authority| authority.as_str().to_ascii_lowercase())
}

/// Schemes are not compared: a proxy may have taken TLS off.
fn is_own(origin: &str, own_host: Option<&str>) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    host.is_some() && host.as_deref() == own_host
}

#[cfg(test)]
mod tests {
    use super::*;
    use spin_sdk::http::HeaderName;

    #[test]
    fn own_calls_pass_and_others_do_not() {
        let host = ("host", "localhost:3000");
        let cases: [(&[(&str, &str)], bool); 11] = [
            (&[], true),
            (&[host], true),
            (&[host, ("sec-fetch-site", "same-origin")], true),
            (&[host, ("sec-fetch-site", "none")], true),
            (&[host, ("sec-fetch-site", "same-site")], false),
            (&[host, ("sec-fetch-site", "cross-site")], false),
            (&[host, ("origin", "http://LocalHost:3000")], true),
            (&[host, ("origin", "http://localhost:3001")], false),
            (&[host, ("origin", "null")], false),
            (&[("spin-full-url", "http://localhost:3000/x"), ("origin", "http://localhost:3000")], true),
            (&[("origin", "http://localhost:3000")], false),
        ];
        for (sent, passes) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            assert_eq!(check(&headers).is_ok(), passes, "{sent:?}");
        }
    }
}

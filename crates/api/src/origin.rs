//! Whether a page of another site sent a request.
//!
//! A page anywhere can make a visitor's browser send a POST, as a form or as `text/plain`, without being able to read the
//! answer, and the browser may add credentials that it remembers. Such a page could fill the stores, and use up the model, from
//! every visitor's address. The rule is that of Go's `http.CrossOriginProtection`: browsers say in `Sec-Fetch-Site` where a request
//! comes from, which holds behind a proxy that rewrites `Host` too; those that do not (on plain HTTP they leave it out) send
//! `Origin`; and what sends neither is not a browser.

use http::{HeaderMap, StatusCode, Uri};
use problem::Problem;

/// Refuses a request that a page of another origin sent.
pub fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_own = match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let own = header("host").or_else(|| uri.authority().map(AsRef::as_ref));
            // Schemes are not compared: a proxy may have ended TLS.
            let sender = origin.split_once("://").map(|(_, host)| host);
            sender.zip(own).is_some_and(|(sender, own)| sender.eq_ignore_ascii_case(own))
        }
        (None, None) => true,
    };
    if is_own {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "This request came from another site's page. Send it from one of the app's own pages or from a non-browser client.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn pages_of_other_sites_are_refused() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("host", "app.example")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://proxied.example")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://app.example:3000")], false),
            (&[("sec-fetch-site", "\u{fc}")], false),
            (&[("origin", "http://app.example:3000")], true),
            (&[("origin", "https://App.example:3000")], true),
            (&[("host", "other.example"), ("origin", "http://other.example")], true),
            (&[("host", "internal:80"), ("origin", "https://proxied.example")], false),
            (
                &[
                    ("host", "internal:80"),
                    ("origin", "https://proxied.example"),
                    ("sec-fetch-site", "same-origin"),
                ],
                true,
            ),
            (&[("origin", "http://app.example")], false),
            (&[("origin", "http://other.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
        ];
        let uri = Uri::from_static("http://app.example:3000/api/sentiment-analysis");
        for (fields, allowed) in cases {
            let headers: HeaderMap = fields
                .iter()
                .map(|(name, value)| {
                    (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
                })
                .collect();
            assert_eq!(check(&uri, &headers).is_ok(), *allowed, "{fields:?}");
        }
    }

    #[test]
    fn fuzz() {
        let uri = Uri::from_static("http://app.example:3000/api/sentiment-analysis");
        fuzz::bytes(&["http://app.example:3000", "same-origin", "null"], |header| {
            let Ok(value) = HeaderValue::from_bytes(header) else { return };
            for name in ["origin", "sec-fetch-site", "host"] {
                let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.clone())]);
                let _ = check(&uri, &headers);
            }
        });
    }
}

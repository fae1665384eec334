//! The page's files, inside the component, so that it is one file to use.

use crate::api::etag;
use crate::respond::{self, Response};
use spin_sdk::http::{HeaderMap, StatusCode, Uri};
use std::sync::OnceLock;

/// A file of the page.
#[derive(Debug, PartialEq)]
pub(crate) struct Asset {
    /// Its address, relative to the page.
    pub(crate) name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    /// Its entity tag, made when first asked for.
    tag: OnceLock<String>,
}

macro_rules! assets {
    ($($content_type:literal: $($name:literal),+;)+) => {
        [$($(Asset {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("../page/", $name)),
            tag: OnceLock::new(),
        }),+),+]
    };
}

static ASSETS: [Asset; 20] = assets! {
    "text/html; charset=utf-8": "index.html";
    "text/css; charset=utf-8": "style.css", "panes.css";
    "image/svg+xml": "icon.svg";
    "application/json": "openapi.json";
    "text/javascript; charset=utf-8":
        "address.js", "api.js", "app.js", "bytes.js", "compare-view.js", "dialogs.js", "dom.js", "entry-list.js", "keys.js",
        "sign-in.js", "store-tabs.js", "value.js", "value-parts.js", "value-view.js", "virtual-list.js";
};

/// Only the page's own files, and calls to its own server: nothing inline, nothing from elsewhere, in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The file at an address; the empty one is the page itself.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    let name = if path.is_empty() { "index.html" } else { path };
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Answers with a file, or 304 where the browser has it.
pub(crate) fn serve(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let tag = asset.tag.get_or_init(|| etag::of(asset.content));
    let known = headers.get("if-none-match").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let response = if etag::names(known, tag) {
        respond::bytes(asset.content_type, StatusCode::NOT_MODIFIED, "")
    } else {
        respond::bytes(asset.content_type, StatusCode::OK, asset.content)
    };
    [
        ("cache-control", "no-cache"),
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("etag", tag),
    ]
    .into_iter()
    .fold(response, |response, (name, value)| respond::with_header(response, name, value))
}

/// Sends the browser from `…/kv-explorer` to `…/kv-explorer/`. The address is relative, so that it holds behind a proxy
/// that mounts the app elsewhere.
pub(crate) fn redirect_to_folder(uri: &Uri) -> Response {
    let folder = uri.path().rsplit('/').next().unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let response = respond::bytes("text/plain", StatusCode::TEMPORARY_REDIRECT, "");
    respond::with_header(response, "location", &format!("./{folder}/{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use spin_sdk::http::HeaderValue;

    #[test]
    fn a_known_file_is_not_sent_again() {
        let asset = find("app.js").unwrap();
        let fresh = serve(asset, &HeaderMap::new());
        assert_eq!(fresh.status(), StatusCode::OK);
        let known =
            HeaderMap::from_iter([("if-none-match".parse().unwrap(), fresh.headers()["etag"].clone())]);
        assert_eq!(serve(asset, &known).status(), StatusCode::NOT_MODIFIED);
        let other =
            HeaderMap::from_iter([("if-none-match".parse().unwrap(), HeaderValue::from_static("\"x\""))]);
        assert_eq!(serve(asset, &other).status(), StatusCode::OK);
    }

    #[test]
    fn the_page_names_only_files_that_are_there() {
        let mut named = 0;
        for asset in &ASSETS {
            let text = std::str::from_utf8(asset.content).unwrap();
            for (mark, end) in [("href=\"", '"'), ("src=\"", '"'), ("from \"./", '"'), ("import \"./", '"')] {
                for rest in text.split(mark).skip(1) {
                    let address = rest.split(end).next().unwrap();
                    if !address.starts_with('#') {
                        assert!(find(address).is_some(), "{} names {address}", asset.name);
                        named += 1;
                    }
                }
            }
        }
        assert!(named > ASSETS.len());
    }

    #[test]
    fn nothing_inline_that_the_policy_forbids() {
        let page = std::str::from_utf8(find("").unwrap().content).unwrap();
        for forbidden in [" style=", " onclick=", "<style", "<script>", "javascript:", "http:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for asset in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/javascript")) {
            let script = std::str::from_utf8(asset.content).unwrap();
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!script.contains(forbidden), "{} has {forbidden}", asset.name);
            }
        }
    }

    #[test]
    fn the_folder_is_a_relative_address() {
        for (asked, expected) in [("/a/kv-explorer", "./kv-explorer/"), ("/kv?x=1", "./kv/?x=1")] {
            let response = redirect_to_folder(&asked.parse().unwrap());
            assert_eq!(response.headers()["location"], expected);
        }
    }
}

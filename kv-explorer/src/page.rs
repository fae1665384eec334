//! The page's files, inside the component, so that it is one file to use.
//!
//! The page names its files below a folder that stands for their content, as in `v-0123456789abcdef/app.js`, so that a browser
//! keeps them and opens the page with one request. The modules name each other, and are in the same folder.

use crate::etag;
use crate::respond::{self, Response};
use http::{HeaderMap, StatusCode, Uri};
use std::sync::OnceLock;

/// A file of the page.
#[derive(Debug, PartialEq)]
pub(crate) struct Asset {
    /// Its address, relative to the page.
    pub(crate) name: &'static str,
    content_type: &'static str,
    /// As it stands in the repository.
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

static ASSETS: [Asset; 22] = assets! {
    "text/html; charset=utf-8": "index.html";
    "text/css; charset=utf-8": "style.css", "panes.css";
    "image/svg+xml": "icon.svg";
    "application/json": "openapi.json";
    "text/javascript; charset=utf-8":
        "address.js", "api.js", "app.js", "bytes.js", "compare-view.js", "dialogs.js", "dom.js", "early.js", "entry-list.js",
        "keys.js", "prompt.js", "sign-in.js", "store-tabs.js", "value.js", "value-parts.js", "value-view.js", "virtual-list.js";
};

/// Only the page's own files, and calls to its own server: nothing inline, nothing from elsewhere, in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The page itself, and what stands in it for the folder of its files.
const PAGE: &str = "index.html";
const FOLDER: &str = "version/";

/// How long a browser may keep a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Keep {
    /// Until it asks again.
    Never,
    /// For good: at this address there will never be another.
    Forever,
}

/// The file at an address, and how long it can be kept; the empty address is the page itself. In the folder of another
/// version, which a page asks for that an older or newer component has sent, are the files of this one.
pub(crate) fn find(path: &str) -> Option<(&'static Asset, Keep)> {
    let named = |name: &str| ASSETS.iter().find(|asset| asset.name == name);
    match path.split_once('/') {
        Some((folder, name)) if folder.starts_with("v-") && name != PAGE => {
            let keep = if folder == version() { Keep::Forever } else { Keep::Never };
            named(name).map(|asset| (asset, keep))
        }
        _ => named(if path.is_empty() { PAGE } else { path }).map(|asset| (asset, Keep::Never)),
    }
}

/// The folder of this version's files.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let all: Vec<u8> = ASSETS.iter().flat_map(|asset| asset.content).copied().collect();
        format!("v-{}", etag::of(&all).trim_matches('"'))
    })
}

impl Asset {
    /// As a browser gets it.
    fn served(&self) -> &'static [u8] {
        static SERVED: OnceLock<String> = OnceLock::new();
        if self.name != PAGE {
            return self.content;
        }
        let made = || String::from_utf8_lossy(self.content).replace(FOLDER, &format!("{}/", version()));
        SERVED.get_or_init(made).as_bytes()
    }
}

/// Answers with a file, or 304 where the browser has it.
pub(crate) fn serve(asset: &'static Asset, keep: Keep, headers: &HeaderMap) -> Response {
    let tag = asset.tag.get_or_init(|| etag::of(asset.served()));
    let known = headers.get("if-none-match").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let response = if etag::names(known, tag) {
        respond::bytes(asset.content_type, StatusCode::NOT_MODIFIED, "")
    } else {
        respond::bytes(asset.content_type, StatusCode::OK, asset.served())
    };
    let cache_control = match keep {
        Keep::Never => "no-cache",
        Keep::Forever => "public, max-age=31536000, immutable",
    };
    [
        ("cache-control", cache_control),
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
    use http::HeaderValue;

    #[test]
    fn a_known_file_is_not_sent_again() {
        let (asset, keep) = find("app.js").unwrap();
        let fresh = serve(asset, keep, &HeaderMap::new());
        assert_eq!(
            (fresh.status(), &fresh.headers()["cache-control"]),
            (StatusCode::OK, &"no-cache".parse().unwrap())
        );
        let known =
            HeaderMap::from_iter([("if-none-match".parse().unwrap(), fresh.headers()["etag"].clone())]);
        assert_eq!(serve(asset, keep, &known).status(), StatusCode::NOT_MODIFIED);
        let other =
            HeaderMap::from_iter([("if-none-match".parse().unwrap(), HeaderValue::from_static("\"x\""))]);
        assert_eq!(serve(asset, keep, &other).status(), StatusCode::OK);
    }

    #[test]
    fn only_what_the_address_stands_for_is_kept() {
        let version = version();
        for (path, expected) in [
            ("", Some((PAGE, Keep::Never))),
            ("app.js", Some(("app.js", Keep::Never))),
            (&format!("{version}/app.js"), Some(("app.js", Keep::Forever))),
            ("v-0000000000000000/app.js", Some(("app.js", Keep::Never))),
            (&format!("{version}/index.html"), None),
            (&format!("{version}/"), None),
            (&format!("{version}/{version}/app.js"), None),
            ("x/app.js", None),
        ] {
            assert_eq!(find(path).map(|(asset, keep)| (asset.name, keep)), expected, "{path}");
        }
        let page = std::str::from_utf8(find("").unwrap().0.served()).unwrap();
        assert!(page.contains(&format!("\"{version}/app.js\"")) && !page.contains(FOLDER));
    }

    #[test]
    fn the_page_names_only_files_that_are_there() {
        let mut named = 0;
        for asset in &ASSETS {
            let text = std::str::from_utf8(asset.served()).unwrap();
            for (mark, end) in [("href=\"", '"'), ("src=\"", '"'), ("from \"./", '"'), ("import \"./", '"')] {
                for rest in text.split(mark).skip(1) {
                    let address = rest.split(end).next().unwrap();
                    // What is neither on the page nor beside it is the app's: the way back there.
                    if !address.starts_with(['#', '/']) {
                        assert!(find(address).is_some(), "{} names {address}", asset.name);
                        named += 1;
                    }
                }
            }
        }
        assert!(named > ASSETS.len());
    }

    #[test]
    fn every_module_is_asked_for_by_the_page_itself() {
        let page = std::str::from_utf8(find("").unwrap().0.content).unwrap();
        for module in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/javascript")) {
            let preloaded = format!("<link rel=\"modulepreload\" href=\"{FOLDER}{}\">", module.name);
            let run = format!("<script type=\"module\" src=\"{FOLDER}{}\"", module.name);
            assert!(page.contains(&preloaded) || page.contains(&run), "{} would be found late", module.name);
        }
    }

    #[test]
    fn nothing_inline_that_the_policy_forbids() {
        let page = std::str::from_utf8(find("").unwrap().0.content).unwrap();
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

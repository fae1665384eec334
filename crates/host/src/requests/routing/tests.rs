use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use spin_app::Manifest;

use super::*;

/// A router whose components are named `c0`, `c1` … in the order of their patterns; `private` comes last.
fn router(patterns: &[&str]) -> Router {
    let mut text = "spin_manifest_version = 2\napplication.name = \"a\"\n".to_owned();
    for (index, pattern) in patterns.iter().enumerate() {
        write!(
            text,
            "[[trigger.http]]\nroute = {pattern:?}\ncomponent = \"c{index}\"\n\
             [component.c{index}]\nsource = \"c.wasm\"\n"
        )
        .unwrap();
    }
    text += "[[trigger.http]]\nroute = { private = true }\ncomponent = \"private\"\n\
             [component.private]\nsource = \"c.wasm\"\n[component.idle]\nsource = \"c.wasm\"\n";
    Router::new(&Manifest::parse(&text, Path::new("spin.toml")).unwrap()).unwrap()
}

fn component(router: &Router, path: &str) -> Option<usize> {
    router.route(path).map(|found| found.component_index())
}

#[test]
fn the_longest_match_by_whole_segments_wins_in_any_order() {
    let mut patterns = ["/", "/api/...", "/api/exact", "/api/:id/x", "/api/v1/...", "/..."];
    for _ in 0..2 {
        let router = router(&patterns);
        for (path, pattern) in [
            ("/", "/"),
            ("/api", "/api/..."),
            ("/api/", "/api/..."),
            ("/api/x", "/api/..."),
            ("/api/x/y", "/api/..."),
            ("/apix", "/..."),
            ("/api/exact", "/api/exact"),
            ("/api/exact/", "/api/exact"),
            ("/api/exact/more", "/api/..."),
            ("/api/7/x", "/api/:id/x"),
            ("/api/7/y", "/api/..."),
            ("/api/v1", "/api/v1/..."),
            ("/api/v1/a/b", "/api/v1/..."),
            ("/other", "/..."),
            ("//api//", "/api/..."),
        ] {
            assert_eq!(router.route(path).unwrap().entry.raw_component, pattern, "{path}");
        }
        patterns.reverse();
    }
}

#[test]
fn what_matches_no_route_has_none() {
    let router = router(&["/exact", "/tree/..."]);
    for path in
        ["/", "/exac", "/exactly", "/exact/more", "/trees", "*", "", "/private", "/private.spin.internal"]
    {
        assert_eq!(component(&router, path), None, "{path:?}");
    }
}

#[test]
fn other_components_are_reached_by_name() {
    let router = router(&["/public"]);
    for (host, called) in [
        ("private.spin.internal", Some(1)),
        ("private.spin.internal:80", Some(1)),
        ("c0.spin.internal", Some(0)),
        // Without a trigger, of any kind, a component cannot be called.
        ("idle.spin.internal", None),
        ("nobody.spin.internal", None),
        ("private.spin.internal.test", None),
        ("private", None),
        ("", None),
    ] {
        let found = router.route_chained(host, "/a/b/");
        assert_eq!(found.as_ref().map(RouteMatch::component_index), called, "{host:?}");
    }
    for path in ["/", "/a", "/a/", "//", "//a//", ""] {
        let found = router.route_chained("private.spin.internal", path).unwrap();
        assert_eq!(found.path_info(), path, "the whole path is handed over");
    }
}

fn headers(
    found: &RouteMatch<'_, '_>,
    uri: &str,
    sent: &[(&'static str, &'static str)],
) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.append(*name, HeaderValue::from_static(value));
    }
    found.insert_headers(&uri.parse().unwrap(), &mut headers, &client_value(([127, 0, 0, 1], 8777).into()));
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    headers.sort();
    headers.retain(|(name, _)| name.starts_with("spin-"));
    headers
}

#[test]
fn the_headers_are_those_of_spin() {
    // Route, path, then the headers that depend on them: path-info, matched, component and raw component route.
    for (pattern, path, [info, matched, component, raw]) in [
        ("/foo/...", "/foo/bar", ["/bar", "/foo/...", "/foo", "/foo/..."]),
        ("/foo/...", "/foo/bar/", ["/bar/", "/foo/...", "/foo", "/foo/..."]),
        ("/foo/...", "/foo", ["", "/foo/...", "/foo", "/foo/..."]),
        ("/foo/...", "/foo/", ["/", "/foo/...", "/foo", "/foo/..."]),
        ("/...", "/", ["/", "/...", "", "/..."]),
        ("/...", "/a/b", ["/a/b", "/...", "", "/..."]),
        ("/", "/", ["", "", "/", "/"]),
        ("/foo", "/foo", ["", "/foo", "/foo", "/foo"]),
        ("/foo/", "/foo/", ["", "/foo", "/foo/", "/foo/"]),
        ("foo", "/foo", ["", "/foo", "foo", "foo"]),
        ("/foo/*", "/foo/a", ["/a", "/foo/*", "/foo/*", "/foo/*"]),
    ] {
        let router = router(&[pattern]);
        let found = router.route(path).unwrap();
        let uri = format!("http://host.test{path}?key=value");
        let expected = [
            ("spin-base-path", "/"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-component-route", component),
            ("spin-full-url", &uri),
            ("spin-matched-route", matched),
            ("spin-path-info", info),
            ("spin-raw-component-route", raw),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers(&found, &uri, &[("host", "host.test")]), expected, "{pattern} {path}");
    }
}

#[test]
fn parameters_become_headers() {
    let router = router(&["/foo/:userid/:file_Name.txt/..."]);
    let found = router.route("/foo/42/a%20b.txt/rest").unwrap();
    let headers = headers(&found, "http://h/foo/42/a%20b.txt/rest", &[]);
    for header in [
        ("spin-path-match-userid", "42"),
        ("spin-path-match-file-name", "a%20b"),
        ("spin-path-info", "/rest"),
        ("spin-matched-route", "/foo/:userid/:file_Name.txt/..."),
        ("spin-component-route", "/foo/:userid/:file_Name.txt"),
        ("spin-full-url", "http://localhost/foo/42/a%20b.txt/rest"),
    ] {
        assert!(headers.contains(&(header.0.to_owned(), header.1.to_owned())), "{header:?} in {headers:?}");
    }
}

#[test]
fn what_a_client_sends_under_these_names_is_replaced() {
    let router = router(&["/:id/..."]);
    let found = router.route("/7").unwrap();
    let names = [
        "spin-full-url",
        "spin-path-info",
        "spin-matched-route",
        "spin-component-route",
        "spin-raw-component-route",
        "spin-base-path",
        "spin-client-addr",
        "spin-path-match-id",
    ];
    let sent: Vec<_> = names.iter().chain(&names).map(|name| (*name, "forged")).collect();
    let headers = headers(&found, "/7", &sent);
    assert_eq!(headers.len(), names.len(), "{headers:?}");
    assert!(headers.iter().all(|(_, value)| value != "forged"), "{headers:?}");
}

proptest! {
    #[test]
    fn any_pattern_and_path_are_handled(
        pattern in r"([/:.*a-c]{0,4}(\.\.\.|\PC)?){0,4}",
        path in r"/?([/:.*a-c]{0,4}\PC?){0,4}",
    ) {
        if Pattern::parse(&pattern).is_ok() {
            let router = router(&[&pattern]);
            if let Some(found) = router.route(&path) {
                let _ = headers(&found, "/", &[]);
            }
        }
    }

    #[test]
    fn a_wildcard_takes_what_is_under_it_and_nothing_else(
        prefix in "(/[a-z]{1,5}){1,3}", rest in "(/[a-z0-9%.~-]{1,5}){0,3}/?", beside in "[a-z.]{1,3}",
    ) {
        let router = router(&[&format!("{prefix}/...")]);
        let path = format!("{prefix}{rest}");
        let found = router.route(&path).map(|found| found.path_info());
        prop_assert_eq!(found.as_deref(), Some(rest.as_str()));
        prop_assert_eq!(component(&router, &format!("{prefix}{beside}{rest}")), None);
    }
}

#[test]
fn fuzz() {
    let router = router(&["/", "/api/...", "/api/:id/x", "/api/v1/..."]);
    fuzz::text(&["/api/v1/a%20b/c?d=e", "/api/7/x"], |path| {
        let Ok(uri) = format!("http://localhost{path}").parse::<Uri>() else { return };
        let Some(found) = router.route(uri.path()) else { return };
        let mut headers = HeaderMap::new();
        found.insert_headers(&uri, &mut headers, &client_value(([127, 0, 0, 1], 1).into()));
        assert!(headers.contains_key("spin-path-info"), "{path:?}");
    });
}

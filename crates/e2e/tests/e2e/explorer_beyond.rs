//! The explorer's REST interface, beyond what the component that it replaces has.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::artifacts;
use e2e::explorer::{Explorer, ROUTE, safe};
use e2e::response::Response;
use e2e::runtime::embedded_only;
use e2e::usage;
use reqwest::Method;
use serde_json::{Value, json};

type Rows = BTreeMap<String, Vec<u8>>;

/// Keys with every awkward byte, in no order, whose values are no UTF-8.
fn awkward_rows() -> Rows {
    let words = "/ // a/b a+b a=b a-b a?b a#b a%2Fb %2F % .. A B \"'<b>&\\ é ÿ ключ 😀 😀😀 Zz zz".split(' ');
    let others = ["", " ", "a b", "a\tb\r\n", "a\0b", "\u{ffff}", "\u{10ffff}"];
    let keys = words.chain(others).map(str::to_owned).chain(["x".repeat(1024)]);
    keys.map(|key| (key.clone(), [key.as_bytes(), b"\0\xff\n\xc3"].concat())).collect()
}

fn entries(rows: &Rows) -> impl Iterator<Item = (&str, &[u8])> {
    rows.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
}

/// A text as it stands in a query.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "%{byte:02X}");
        out
    })
}

pub(crate) fn ok(response: &Response) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

async fn get(explorer: &Explorer, rest: &str) -> Value {
    ok(&explorer.call(Method::GET, &format!("/stores/{FIRST}{rest}"), None).await)
}

/// Posts to a store's address, which begins after `/stores/`.
pub(crate) async fn post(explorer: &Explorer, path: &str, body: impl Into<Vec<u8>>) -> Response {
    explorer.call(Method::POST, &format!("/stores/{path}"), Some(body.into())).await
}

async fn put(explorer: &Explorer, key: &str, value: Vec<u8>) -> Response {
    explorer.call(Method::PUT, &format!("/stores/{FIRST}/keys/{}", safe(key)), Some(value)).await
}

/// A call with the right credentials and other headers.
pub(crate) async fn call_with(
    app: &App,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Response {
    let credentials = format!("Basic {}", BASE64_STANDARD.encode(CREDENTIALS));
    let mut request = app.request(method, &format!("{ROUTE}/api{path}")).header("authorization", credentials);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Response::of(request.body(body)).await.unwrap()
}

#[tokio::test]
async fn pages_together_are_the_sorted_keys_that_match() {
    let rows = awkward_rows();
    let app = App::builder().store(FIRST, "explored", entries(&rows)).start();
    let explorer = app.explorer();
    let filters =
        [("", ""), ("a", ""), ("", "/"), ("", "%2F"), ("a", "b"), ("😀", ""), ("", "\0"), ("Z", "a")];
    for (prefix, contains) in filters {
        let expected: Vec<&String> =
            rows.keys().filter(|key| key.starts_with(prefix) && key.contains(contains)).collect();
        for limit in [1, 7, 1000] {
            let query =
                format!("?prefix={}&contains={}&limit={limit}&values", escaped(prefix), escaped(contains));
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let page = get(&explorer, &format!("{query}{after}")).await;
                assert_eq!((&page["matched"], &page["total"]), (&expected.len().into(), &rows.len().into()));
                let keys = page["keys"].as_array().unwrap();
                assert!(keys.len() <= limit, "{query}: {page}");
                let whole = |key: &Value| {
                    let value = &rows[key.as_str().unwrap()];
                    json!({ "key": key, "size": value.len(), "value": BASE64_STANDARD.encode(value) })
                };
                assert_eq!(page["entries"], keys.iter().map(whole).collect::<Value>(), "{query}");
                seen.extend(keys.iter().map(|key| key.as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={}", escaped(next));
            }
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{query}");
        }
    }
    for wrong in ["limit=0", "limit=1001", "limit=-1", "limit=x", "values=maybe", "prefix=%ff"] {
        let path = format!("/stores/{FIRST}?{wrong}");
        explorer.call(Method::GET, &path, None).await.problem(400);
    }
}

#[tokio::test]
async fn what_comes_and_goes_elsewhere_moves_no_key_to_another_page() {
    let app =
        App::builder().store(FIRST, "explored", ["b", "d", "f", "h"].map(|key| (key, &b""[..]))).start();
    let explorer = app.explorer();
    assert_eq!(get(&explorer, "?limit=2").await["keys"], json!(["b", "d"]));
    assert_eq!(explorer.set(FIRST, "a", "").await.status, 200);
    assert_eq!(explorer.delete(FIRST, "d").await.status, 200);
    let second = get(&explorer, "?limit=2&after=d").await;
    assert_eq!((&second["keys"], &second["next"]), (&json!(["f", "h"]), &Value::Null));
}

#[tokio::test]
async fn values_come_with_their_keys_in_one_request() {
    let rows = awkward_rows();
    let app = App::builder().store(FIRST, "explored", entries(&rows)).start();
    let explorer = app.explorer();
    let path = format!("{FIRST}/values");
    let wanted: Vec<&str> = rows.keys().rev().map(String::as_str).chain(["absent"]).collect();
    for cut in [0, 2, 5000] {
        let body = json!({ "keys": wanted, "max_bytes": cut }).to_string();
        let expected: Vec<Value> = wanted
            .iter()
            .map(|key| {
                let value = rows.get(*key);
                let shown = value.map(|value| BASE64_STANDARD.encode(&value[..value.len().min(cut)]));
                json!({ "key": key, "size": value.map(Vec::len), "value": shown })
            })
            .collect();
        let answer = ok(&post(&explorer, &path, body).await);
        assert_eq!(answer, json!({ "store": FIRST, "entries": expected }), "{cut}");
    }
    let too_many = vec!["a"; 1001];
    for body in [json!({}), json!([]), json!({ "keys": [1] }), json!({ "keys": too_many })] {
        post(&explorer, &path, body.to_string()).await.problem(400);
    }
}

#[tokio::test]
async fn put_takes_any_bytes_up_to_a_mebibyte() {
    let app = App::builder().store(FIRST, "explored", []).start();
    let explorer = app.explorer();
    let every_byte: Vec<u8> = (0..=255).collect();
    let path = format!("/stores/{FIRST}/keys/{}", safe("a/b"));
    for size in [0, 1, 256, 1 << 16, 1 << 20] {
        let value: Vec<u8> = every_byte.iter().copied().cycle().take(size).collect();
        ok(&put(&explorer, "a/b", value.clone()).await);
        assert!(Explorer::value(&explorer.get(FIRST, "a/b").await) == value, "{size}");
        let bytes = [("accept", "application/octet-stream")];
        let raw = call_with(&app, Method::GET, &path, &bytes, vec![]).await;
        assert!(raw.status == 200 && raw.body == value, "{size}");
        assert!(app.rows(FIRST)["a/b"] == value, "{size}");
    }

    let large = "v".repeat((8 << 20) + 1);
    put(&explorer, "a/b", vec![0; (1 << 20) + 1]).await.problem(413);
    put(&explorer, &"k".repeat(4097), vec![]).await.problem(413);
    explorer.set(FIRST, &"k".repeat(4097), "").await.problem(413);
    explorer.set(FIRST, "a/b", &"v".repeat((1 << 20) + 1)).await.problem(413);
    for call in ["", "/import", "/delete", "/values"] {
        post(&explorer, &format!("{FIRST}{call}"), large.clone()).await.problem(413);
    }

    // Only what its author saw is replaced.
    let read = explorer.get(FIRST, "a/b").await;
    let tag = read.header("etag");
    for (name, value, status) in [
        ("if-none-match", "*", 412),
        ("if-match", "\"another\"", 412),
        ("if-match", tag, 200),
        ("if-match", tag, 412),
    ] {
        let body = format!("{name} {status}").into_bytes();
        let answer = call_with(&app, Method::PUT, &path, &[(name, value)], body).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    assert_eq!(app.rows(FIRST), Rows::from([("a/b".to_owned(), b"if-match 200".to_vec())]));
}

/// Whether a key is to go.
type Goes = fn(&str) -> bool;

#[tokio::test]
async fn many_keys_are_deleted_at_once_after_a_dry_run() {
    let rows = awkward_rows();
    let app = App::builder().store(FIRST, "explored", entries(&rows)).start();
    let explorer = app.explorer();
    let mut left = rows.clone();
    let dry = format!("{FIRST}/delete?dry_run=true");
    let wet = format!("{FIRST}/delete");
    for body in
        ["", "{}", "[]", "{\"all\": true}", "{\"keys\": [\"a/b\"], \"prefix\": \"\"}", "{\"keys\": \"a/b\"}"]
    {
        post(&explorer, &wet, body).await.problem(400);
    }
    assert_eq!(app.rows(FIRST), rows);
    let removals: [(Value, Goes); 5] = [
        (json!({ "keys": ["a/b", "😀", "", "absent"] }), |key| ["a/b", "😀", ""].contains(&key)),
        (json!({ "prefix": "a", "contains": "=" }), |key| key.starts_with('a') && key.contains('=')),
        (json!({ "contains": "%" }), |key| key.contains('%')),
        (json!({ "prefix": "nothing begins so" }), |_| false),
        (json!({ "prefix": "" }), |_| true),
    ];
    for (body, goes) in removals {
        let gone: Vec<String> = left.keys().filter(|key| goes(key)).cloned().collect();
        for (path, deleted) in [(&dry, 0), (&wet, gone.len())] {
            assert_eq!(app.rows(FIRST), left, "{body}");
            let answer = ok(&post(&explorer, path, body.to_string()).await);
            assert_eq!(
                (&answer["matched"], &answer["deleted"]),
                (&gone.len().into(), &deleted.into()),
                "{body}"
            );
            let mut named: Vec<&str> =
                answer["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            named.sort_unstable();
            assert_eq!(named, gone, "{body}");
        }
        left.retain(|key, _| !goes(key));
    }
    assert_eq!(app.rows(FIRST), Rows::new());
}

#[tokio::test]
async fn an_export_imports_to_the_same_bytes_and_a_bad_line_to_nothing() {
    let rows = awkward_rows();
    let app = App::builder().store(FIRST, "explored", entries(&rows)).store(SECOND, "copied", []).start();
    let explorer = app.explorer();
    let export = explorer.call(Method::GET, &format!("/stores/{FIRST}/export"), None).await;
    assert_eq!((export.status, export.header("content-type")), (200, "application/jsonl"));
    assert_eq!(export.text().lines().count(), rows.len());

    // A dry run, the import, and the same again, which finds nothing to do.
    for (query, created) in [("?dry_run=true", rows.len()), ("", rows.len()), ("", 0)] {
        let answer = ok(&post(&explorer, &format!("{SECOND}/import{query}"), export.body.to_vec()).await);
        let counts =
            ["entries", "created", "replaced", "unchanged"].map(|name| answer[name].as_u64().unwrap());
        let expected = [rows.len(), created, 0, rows.len() - created].map(|count| count as u64);
        assert_eq!((counts, &answer["dry_run"]), (expected, &json!(!query.is_empty())));
        assert_eq!(app.rows(SECOND), if query.is_empty() { rows.clone() } else { Rows::new() });
    }
    let good = r#"{"key": "new", "value": "AA=="}"#;
    for bad in [
        "{oops",
        "[]",
        r#"{"key": "b"}"#,
        r#"{"key": 1, "value": ""}"#,
        r#"{"key": "b", "value": "?"}"#,
        r#"{"key": "b", "value": "YQ"}"#,
        r#"{"key": "new", "value": ""}"#,
        r#"{"key": "b", "value": "", "ttl": 1}"#,
    ] {
        let file = format!("{good}\n{bad}\n");
        let detail = post(&explorer, &format!("{SECOND}/import"), file).await.problem(400);
        assert!(detail.starts_with("Line 2: "), "{bad}: {detail}");
    }
    assert_eq!(app.rows(SECOND), rows);
}

#[tokio::test]
async fn an_export_of_large_values_takes_no_more_memory_than_some_of_them() {
    const MEBI: usize = 1024 * 1024;
    if !embedded_only("the memory is that of the embedded runtime") {
        return;
    }
    let value = vec![b'x'; MEBI];
    let keys: Vec<String> = (0..100).map(|number| format!("large {number}")).collect();
    let app =
        App::builder().store(FIRST, "large", keys.iter().map(|key| (key.as_str(), value.as_slice()))).start();
    let export = app.explorer().call(Method::GET, &format!("/stores/{FIRST}/export"), None).await;
    assert_eq!((export.status, export.text().lines().count()), (200, 100));
    assert!(export.body.len() > 100 * MEBI);
    let peak = usage::peak(app.process()).unwrap() / MEBI as u64;
    assert!(peak < 300, "{peak} MiB");
}

#[tokio::test]
async fn the_description_is_served_and_names_what_answers() {
    let app = App::builder().start();
    // Where README.md says it is.
    let readme = fs::read_to_string(artifacts::root().join("README.md")).unwrap();
    let (before, _) = readme.split_once("openapi.json").unwrap();
    let path = format!("{}openapi.json", before.rsplit('`').next().unwrap());
    assert!(path.starts_with(ROUTE), "{path}");
    let served = app.get(&path).await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
    let description = served.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 7, "{paths:?}");
    for (path, operations) in paths {
        let path = path.replace("{store}", FIRST).replace("{safe}", &safe("prompt"));
        for name in operations.as_object().unwrap().keys().filter(|name| *name != "parameters") {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let answer = Response::of(app.request(method, &format!("{ROUTE}{path}"))).await.unwrap();
            assert_eq!(answer.status, 401, "{name} {path}: {}", answer.text());
        }
    }
}

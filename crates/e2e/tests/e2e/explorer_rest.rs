//! The explorer's REST interface, as clients of the component that it replaces know it.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::app::{App, CREDENTIALS, FIRST, SECOND};
use e2e::explorer::{Explorer, ROUTE, safe};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

/// Keys with every awkward byte.
fn awkward_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a/b", "a+b", "a=b", "a-b", "a?b", "a#b", "a%2Fb", "..", "/", "???", ">>>", "a\nb\r\t", "😀", "é",
        "\"'<b>&", " a ", "",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("x".repeat(1024));
    keys.push("a\0b".to_owned());
    keys
}

#[tokio::test]
async fn list_get_set_and_delete_over_awkward_keys() {
    let app = App::builder().store(FIRST, "explored", []).start();
    let explorer = app.explorer();
    assert_eq!(explorer.list(FIRST).await.json(), json!({ "store": FIRST, "keys": [] }));
    let mut expected = BTreeSet::new();
    for key in awkward_keys() {
        let value = format!("the value of {key}\n");
        assert_eq!(explorer.get(FIRST, &key).await.status, 404, "{key:?}");
        assert_eq!(explorer.set(FIRST, &key, &value).await.status, 200, "{key:?}");
        let got = explorer.get(FIRST, &key).await;
        assert_eq!(
            got.json(),
            json!({ "store": FIRST, "key": safe(&key), "value": BASE64_STANDARD.encode(&value) }),
            "{key:?}"
        );
        expected.insert(key);
    }
    assert_eq!(explorer.keys(FIRST).await, expected.iter().cloned().collect::<Vec<_>>());
    let stored: BTreeSet<String> = app.rows(FIRST).into_keys().collect();
    assert_eq!(stored, expected);
    for key in awkward_keys() {
        assert_eq!(explorer.set(FIRST, &key, "again").await.status, 200, "{key:?}");
        assert_eq!(Explorer::value(&explorer.get(FIRST, &key).await), b"again", "{key:?}");
        assert_eq!(explorer.delete(FIRST, &key).await.status, 200, "{key:?}");
        assert_eq!(explorer.delete(FIRST, &key).await.status, 404, "{key:?}");
    }
    assert_eq!(app.rows(FIRST).len(), 0);
    assert_eq!(app.rows(SECOND).len(), 1, "the other store is as it was");
}

#[tokio::test]
async fn values_are_any_bytes() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large = every_byte.repeat(4096);
    let entries = [("bytes", every_byte.as_slice()), ("large", &large), ("empty", b"")];
    let app = App::builder().store(FIRST, "explored", entries).start();
    let explorer = app.explorer();
    for (key, value) in entries {
        assert_eq!(Explorer::value(&explorer.get(FIRST, key).await), value, "{key}");
    }
}

#[tokio::test]
async fn conditions_hold_at_the_moment_of_the_change() {
    let app = App::builder().store(FIRST, "explored", []).start();
    let explorer = app.explorer();
    let path = format!("{ROUTE}/api/stores/{FIRST}/keys/{}", safe("new"));
    let call = |method, header, tag: &str, body: String| {
        let (user, password) = CREDENTIALS.split_once(':').unwrap();
        app.request(method, &path).basic_auth(user, Some(password)).header(header, tag).body(body)
    };
    // Of many that add one key at the same time, one does.
    let adds = (0..20).map(|number| call(Method::PUT, "if-none-match", "*", number.to_string()));
    let added = join_all(adds.map(|add| async { add.send().await.unwrap() })).await;
    let mut statuses: Vec<u16> = added.iter().map(|response| response.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![412; 19]].concat());

    let before = call(Method::GET, "accept", "application/json", String::new()).send().await.unwrap();
    let old = before.headers()["etag"].to_str().unwrap().to_owned();
    explorer.set(FIRST, "new", "changed meanwhile").await;
    let delete = async |tag: &str| call(Method::DELETE, "if-match", tag, String::new()).send().await.unwrap();
    assert_eq!(delete(&old).await.status(), 412);
    let now = call(Method::GET, "accept", "application/json", String::new()).send().await.unwrap();
    assert_eq!(delete(now.headers()["etag"].to_str().unwrap()).await.status(), 200);
    assert_eq!(explorer.get(FIRST, "new").await.status, 404);
}

#[tokio::test]
async fn malformed_calls_say_what_is_wrong() {
    let app = App::builder().start();
    let explorer = app.explorer();
    let cases: [(Method, &str, Option<&str>, u16); 13] = [
        (Method::GET, "/stores/promptstore1/keys/Y", None, 400),
        (Method::GET, "/stores/promptstore1/keys/YQ", None, 400),
        (Method::GET, "/stores/promptstore1/keys/%21", None, 400),
        (Method::GET, "/stores/promptstore1/keys/_w==", None, 400),
        (Method::DELETE, "/stores/promptstore1/keys/-w==", None, 400),
        (Method::POST, "/stores/promptstore1", Some(""), 400),
        (Method::POST, "/stores/promptstore1", Some("[]"), 400),
        (Method::POST, "/stores/promptstore1", Some("{\"key\": \"a\"}"), 400),
        (Method::POST, "/stores/promptstore1", Some("{\"key\": 1, \"value\": \"b\"}"), 400),
        (Method::POST, "/stores/promptstore1", Some("{\"key\": \"\\ud800\", \"value\": \"b\"}"), 400),
        (Method::PATCH, "/stores/promptstore1", None, 405),
        (Method::GET, "/nothing", None, 404),
        (Method::GET, "/stores/promptstore1/keys", None, 404),
    ];
    for (method, path, body, status) in cases {
        let response = explorer.call(method, path, body.map(|body| body.as_bytes().to_vec())).await;
        response.problem(status);
    }
    for label in ["promptstore3", "default", "%3Cb%3E", ".."] {
        let response = explorer.list(label).await;
        assert!(matches!(response.status, 403 | 404), "{label}: {}", response.text());
        if label == "promptstore3" {
            assert!(response.problem(response.status).contains(label));
        }
    }
    assert_eq!(app.rows(FIRST).len(), 1);
}

#[tokio::test]
async fn every_call_needs_the_credentials() {
    let app = App::builder().start();
    let explorer = app.explorer();
    let wrong = [
        None,
        Some("Basic".to_owned()),
        Some("Basic !".to_owned()),
        Some(format!("Bearer {}", BASE64_STANDARD.encode(CREDENTIALS))),
        Some(format!("Basic {}", BASE64_STANDARD.encode("ada:"))),
        Some(format!("Basic {}", BASE64_STANDARD.encode("ada:pâss"))),
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{CREDENTIALS} ")))),
        Some(format!("Basic {}", BASE64_STANDARD.encode(CREDENTIALS.to_uppercase()))),
    ];
    let prompt = format!("/stores/{FIRST}/keys/{}", safe("prompt"));
    let calls: [(Method, &str, Option<&str>); 5] = [
        (Method::GET, "/stores", None),
        (Method::GET, "/stores/promptstore1", None),
        (Method::GET, &prompt, None),
        (Method::POST, "/stores/promptstore1", Some("{\"key\": \"a\", \"value\": \"b\"}")),
        (Method::DELETE, &prompt, None),
    ];
    for authorization in wrong {
        let client = match &authorization {
            Some(value) => explorer.with_authorization(value),
            None => Explorer::new(reqwest::Client::new(), &app.url("")),
        };
        let one_try_is_enough = usize::from(authorization.is_some());
        for (method, path, body) in &calls[..calls.len() - 4 * one_try_is_enough] {
            let body = body.map(|body| body.as_bytes().to_vec());
            let response = client.call(method.clone(), path, body).await;
            response.problem(401);
            assert!(response.header("www-authenticate").starts_with("Basic"), "{method} {path}");
        }
    }
    assert_eq!(explorer.keys(FIRST).await, ["prompt"]);
    // The page itself is for everybody: it asks for the credentials.
    assert_eq!(app.get(&format!("{ROUTE}/")).await.status, 200);
}

#[tokio::test]
async fn without_credentials_configured_nobody_may_call() {
    let app = App::builder().credentials(":").start();
    let explorer = app.explorer();
    for client in [&explorer, &explorer.with_credentials(":"), &explorer.with_credentials("")] {
        let detail = client.list(FIRST).await.problem(403);
        assert!(detail.contains("SPIN_VARIABLE_KV_EXPLORER_PASSWORD"), "{detail}");
    }
    assert_eq!(app.get(&format!("{ROUTE}/")).await.status, 200);
}

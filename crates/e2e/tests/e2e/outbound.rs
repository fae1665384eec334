//! Requests of components to servers outside the app, which the manifest grants or does not.

use std::fs;

use e2e::app::{App, SENTIMENT};
use e2e::origin::{Authority, Origin, Script};
use e2e::runtime::embedded_only;
use futures::future::join_all;
use reqwest::{Method, RequestBuilder};

/// A request that the app passes on to `address`.
fn to(app: &App, address: &str) -> RequestBuilder {
    app.request(Method::POST, "/").header("x-to", address)
}

async fn get(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn only_what_is_granted_is_reached() {
    let (granted, other) =
        (Origin::start(Script::answer(203, "reached")), Origin::start(Script::answer(200, "")));
    let mut app = App::forwarder(&granted.url()).start();
    let address = format!("{}/a/../b?c='d'", granted.url());
    assert_eq!(get(to(&app, &address).body("hello")).await, (203, "reached".to_owned()));
    let [request] = &granted.requests()[..] else { panic!("{:?}", granted.requests()) };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/a/../b?c='d'"));
    assert_eq!(request.body, "hello");

    let tls = granted.url().replace("http://", "https://");
    for address in [&other.url(), &tls, "http://localhost/", "http://other.spin.internal/"] {
        let denied = (502, "ErrorCode::HttpRequestDenied".to_owned());
        assert_eq!(get(to(&app, address)).await, denied, "{address}");
    }
    assert_eq!((granted.connections(), other.connections()), (1, 0));

    for nothing in ["", "http://", "https://"] {
        app = app.restart(|builder| builder.variable("granted", nothing));
        assert_eq!(get(to(&app, &granted.url())).await.1, "ErrorCode::HttpRequestDenied");
    }
}

#[tokio::test]
async fn a_component_learns_the_code_of_a_failure() {
    let app = App::forwarder("http://*:*").start();
    let closed = Origin::start(Script::Silence).url();
    let [cut, silent] = [Script::CutBeforeHead, Script::Silence].map(Origin::start);
    for (address, code) in [
        (closed.as_str(), "ErrorCode::ConnectionRefused"),
        ("http://nothing.invalid/", "ErrorCode::DnsError"),
        (&cut.url(), "ErrorCode::HttpProtocolError"),
        (&silent.url(), "ErrorCode::ConnectionReadTimeout"),
    ] {
        let (status, text) = get(to(&app, address).header("x-first-byte-timeout", "300")).await;
        assert!(status == 502 && text.starts_with(code), "{address}: {status} {text}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_the_environment_names_it() {
    let authority = Authority::new();
    let server = Origin::start_tls(Script::answer(200, "safe"), &authority);
    let app = App::forwarder(&server.url()).start();
    assert_eq!(get(to(&app, &server.url())).await, (502, "ErrorCode::TlsProtocolError".to_owned()));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority.pem()).unwrap();
    let app = app.restart(|builder| builder.environment("SSL_CERT_FILE", file.to_str().unwrap()));
    assert_eq!(get(to(&app, &server.url())).await, (200, "safe".to_owned()));
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_save_for_this_machine() {
    if !embedded_only("Spin uses no proxies") {
        return;
    }
    let own = Origin::start(Script::answer(200, "without a proxy"));
    let proxy = Origin::start(Script::Proxy(own.address()));
    let app = App::forwarder("http://*:*").environment("http_proxy", proxy.url()).start();
    assert_eq!(get(to(&app, "http://model.test/v1")).await, (200, "through the proxy".to_owned()));
    assert_eq!(proxy.requests()[0].target, "http://model.test/v1");
    assert_eq!(get(to(&app, &own.url())).await, (200, "without a proxy".to_owned()));
}

#[tokio::test]
async fn a_redirect_is_passed_on() {
    let elsewhere = Origin::start(Script::answer(200, "elsewhere"));
    let server = Origin::start(Script::Redirect(elsewhere.url()));
    let app = App::forwarder("http://127.0.0.1:*").start();
    // The test's own client would follow it.
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let response = client.get(app.url("/")).header("x-to", server.url()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), elsewhere.connections()), (307, 0));
    assert_eq!(response.headers()["location"], elsewhere.url().as_str());
}

/// The server answers none of the sixteen before it has them all; and the connections serve the next ones too.
#[tokio::test]
async fn servers_are_waited_for_at_once_over_connections_that_are_kept() {
    let server = Origin::start(Script::Together { requests: 16, answer: "all" });
    let app = App::forwarder(&server.url()).start();
    for _ in 0..4 {
        let answers = join_all((0..16).map(|_| get(to(&app, &server.url())))).await;
        assert_eq!(answers, vec![(200, "all".to_owned()); 16]);
    }
    assert!(server.connections() < 48, "{} connections for 64 requests", server.connections());
}

/// The request to the server ends with the one it is made for: whether the component gives it up or its own caller does,
/// and whether that is a client or another component.
#[tokio::test]
async fn an_abandoned_request_ends_what_it_waits_for() {
    let silent = Origin::start(Script::Silence);
    let app = App::forwarder(&silent.url()).start();
    let given_up = get(to(&app, &silent.url()).header("x-patience", "200")).await;
    assert_eq!(given_up, (504, "given up".to_owned()));
    silent.until_closed(1).await;
    if !embedded_only("Spin lets a component go on when its client has gone") {
        return;
    }

    let hop = "http://forwarder.spin.internal/";
    let requests = [to(&app, &silent.url()), to(&app, hop).header("x-then", silent.url())];
    for (request, count) in requests.into_iter().zip(2..) {
        tokio::select! {
            answer = request.send() => panic!("{answer:?}"),
            () = silent.until_requests(count) => {}
        }
        silent.until_closed(count).await;
    }
    // Nothing went wrong in the component, and nothing says so.
    assert!(!app.process().output().contains("died"), "{}", app.process().output());

    let pausing = Origin::start(Script::Pause);
    let app = app.restart(|builder| builder.variable("granted", &pausing.url()));
    let mut response = to(&app, &pausing.url()).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "so far", "the response is streamed");
    drop(response);
    pausing.until_closed(1).await;
}

#[tokio::test]
async fn an_abandoned_inference_ends() {
    if !embedded_only("Spin lets an inference go on when its caller has gone") {
        return;
    }
    let model = Origin::start(Script::Silence);
    let app = App::builder().llm_compute(&model.url(), "default").start();
    tokio::select! {
        answer = app.request(Method::POST, SENTIMENT).body(r#"{"sentence": "rain"}"#).send() => panic!("{answer:?}"),
        () = model.until_requests(1) => {}
    }
    model.until_closed(1).await;
}

#[tokio::test]
async fn an_app_can_call_itself() {
    let server = Origin::start(Script::answer(200, "round"));
    let app = App::forwarder(&server.url()).start();
    let request = to(&app, "http://self.alt/any?path").header("x-then", server.url());
    assert_eq!(get(request).await, (200, "round".to_owned()));
}

#[tokio::test]
async fn long_bodies_are_passed_on_whole() {
    let echo = Origin::start(Script::Echo);
    let app = App::forwarder(&echo.url()).start();
    let long: Vec<u8> = (0..20_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let response = to(&app, &echo.url()).body(long.clone()).send().await.unwrap();
    assert!(response.bytes().await.unwrap() == long);
}

//! Against real servers, over TLS as well.

use std::sync::LazyLock;

use e2e::origin::{Authority, Origin, Script};
use futures::future::try_join_all;
use futures::{SinkExt as _, StreamExt as _, channel::mpsc};
use http::Method;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::roots::Trust;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);
const MOST: usize = 1 << 20;

static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);

/// A client that trusts [`AUTHORITY`] and nobody else.
fn client(proxies: Matcher) -> HttpClient {
    static TRUST: LazyLock<Trust> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(AUTHORITY.pem().as_bytes()).unwrap()).unwrap();
        Trust::new(roots, "; NO_SUCH_FILE cannot be read".to_owned())
    });
    HttpClient::with(Proxies::new(proxies), Tls::new(|| &TRUST))
}

fn direct() -> HttpClient {
    client(Matcher::builder().build())
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

fn streamed(request: Request<Bytes>) -> Request<RequestBody> {
    request.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

async fn text(client: &HttpClient, url: &str) -> Result<String, Error> {
    let response = client.exchange(get(url), LONG, MOST).await?;
    Ok(String::from_utf8(response.into_body().to_vec()).unwrap())
}

#[tokio::test]
async fn a_request_is_sent_as_it_is() {
    let server = Origin::start(Script::answer(418, "tea"));
    let url = format!("{}/a/../b%7e?q='x'&y=[1]", server.url());
    let request = Request::builder().method(Method::PUT).uri(url).header("x-one", "1").body("hello").unwrap();
    let response = direct().exchange(request, LONG, MOST).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (418, &b"tea"[..]));

    let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/a/../b%7e?q='x'&y=[1]"));
    assert_eq!(request.body, "hello");
    let mut names: Vec<_> = request.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "host", "x-one"], "nothing is added");
    assert_eq!(request.header("host"), Some(server.address().to_string().as_str()));
}

#[tokio::test]
async fn a_redirect_is_passed_on() {
    let elsewhere = Origin::start(Script::answer(200, "elsewhere"));
    let server = Origin::start(Script::Redirect(elsewhere.url()));
    let response = direct().exchange(get(&server.url()), LONG, MOST).await.unwrap();
    assert_eq!((response.status().as_u16(), elsewhere.connections()), (307, 0));
}

#[tokio::test]
async fn failures_name_their_cause() {
    let closed = Origin::start(Script::Silence).address();
    let plain = Origin::start(Script::answer(200, ""));
    for (url, expected) in [
        ("/only/a/path".to_owned(), "the exchange broke off: "),
        (
            "ftp://model.test/".to_owned(),
            "the address has no host, or starts with neither http:// nor https://",
        ),
        ("http://nothing.invalid/".to_owned(), "cannot resolve the host's name: "),
        (format!("http://{closed}"), "cannot connect: Connection refused"),
        (format!("https://{}", plain.address()), "TLS failed: received corrupt message"),
    ] {
        let error = text(&direct(), &url).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{url}: {error}");
    }
    for script in [Script::CutBeforeHead, Script::CutInBody] {
        let server = Origin::start(script.clone());
        let error = text(&direct(), &server.url()).await.unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{script:?}: {error:?}");
    }
    for script in [Script::Bytes(MOST + 1), Script::Flood] {
        let server = Origin::start(script);
        assert_eq!(text(&direct(), &server.url()).await, Err(Error::TooLarge(MOST)));
    }
    for script in [Script::Silence, Script::Trickle] {
        let server = Origin::start(script);
        let exchanged = direct().exchange(get(&server.url()), SHORT, MOST).await;
        assert_eq!(exchanged.unwrap_err(), Error::ResponseTimeout(SHORT));
    }
}

#[tokio::test]
async fn each_wait_has_its_limit() {
    let silent = Origin::start(Script::Silence);
    let timeouts = Timeouts { first_byte: SHORT, ..Timeouts::default() };
    let sent = direct().send(streamed(get(&silent.url())), timeouts).await;
    assert_eq!(sent.unwrap_err(), Error::ResponseTimeout(SHORT));

    let pausing = Origin::start(Script::Pause);
    let timeouts = Timeouts { between_bytes: SHORT, ..Timeouts::default() };
    let mut body = direct().send(streamed(get(&pausing.url())), timeouts).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "so far");
    assert_eq!(body.frame().await.unwrap().unwrap_err(), Error::BodyTimeout(SHORT));
    assert!(body.frame().await.is_none());
    pausing.until_closed(1).await;

    // The proxy takes the connection and says nothing.
    let client = client(Matcher::builder().all(silent.url()).build());
    let timeouts = Timeouts { connect: SHORT, ..Timeouts::default() };
    let sent = client.send(streamed(get("https://model.test/")), timeouts).await;
    assert_eq!(sent.unwrap_err(), Error::ConnectTimeout(SHORT));
}

#[tokio::test]
async fn whoever_gives_up_closes_the_connection() {
    let client = direct();
    let silent = Origin::start(Script::Silence);
    let sending = client.send(streamed(get(&silent.url())), Timeouts::default());
    tokio::select! {
        sent = sending => panic!("{sent:?}"),
        () = silent.until_requests(1) => {}
    }
    silent.until_closed(1).await;

    let pausing = Origin::start(Script::Pause);
    let response = client.send(streamed(get(&pausing.url())), Timeouts::default()).await.unwrap();
    drop(response);
    pausing.until_closed(1).await;
}

#[tokio::test]
async fn requests_run_at_once_over_connections_that_are_kept() {
    for server in [
        Origin::start(Script::Together { requests: 16, answer: "all" }),
        Origin::start_tls(Script::Together { requests: 16, answer: "all" }, &AUTHORITY),
    ] {
        let (client, url) = (direct(), server.url());
        for _ in 0..3 {
            let texts = try_join_all((0..16).map(|_| text(&client, &url))).await.unwrap();
            assert_eq!(texts, ["all"; 16]);
        }
        assert_eq!((server.requests().len(), server.connections()), (48, 16));
    }
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let server = Origin::start_tls(Script::Echo, &AUTHORITY);
    let (mut pieces, body) = mpsc::channel(0);
    let body = StreamBody::new(body.map(|piece: &'static str| Ok(Frame::data(Bytes::from(piece)))));
    let request = Request::post(server.url()).body(body.boxed_unsync()).unwrap();
    let mut echo = direct().send(request, Timeouts::default()).await.unwrap().into_body();
    for piece in ["one", "two", "three"] {
        pieces.send(piece).await.unwrap();
        assert_eq!(echo.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
    }
    drop(pieces);
    assert!(echo.frame().await.is_none());

    let long = Bytes::from(vec![b'y'; 20 << 20]);
    let request = Request::post(server.url()).body(long.clone()).unwrap();
    let echo = direct().exchange(request, LONG, long.len()).await.unwrap().into_body();
    assert!(echo == long);
}

#[tokio::test]
async fn only_known_authorities_are_trusted() {
    let server = Origin::start_tls(Script::answer(200, "safe"), &AUTHORITY);
    assert_eq!(text(&direct(), &server.url()).await.unwrap(), "safe");
    let port = server.address().port();
    assert_eq!(text(&direct(), &format!("https://localhost:{port}/")).await.unwrap(), "safe");

    let stranger = Origin::start_tls(Script::answer(200, ""), &Authority::new());
    for (client, url, expected) in [
        (direct(), stranger.url(), "; NO_SUCH_FILE cannot be read"),
        (HttpClient::new(), server.url(), "UnknownIssuer"),
    ] {
        let error = text(&client, &url).await.unwrap_err();
        assert!(matches!(&error, Error::Tls(reason) if reason.contains(expected)), "{error:?}");
    }
}

#[tokio::test]
async fn a_proxy_is_told_the_whole_address() {
    let proxy = Origin::start(Script::Proxy(([127, 0, 0, 1], 1).into()));
    let client = client(Matcher::builder().all(format!("http://ada:secret@{}", proxy.address())).build());
    assert_eq!(text(&client, "http://model.test:8080/v1?x").await.unwrap(), "through the proxy");
    let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
    assert_eq!(request.target, "http://model.test:8080/v1?x");
    assert_eq!(request.header("host"), Some("model.test:8080"));
    assert_eq!(request.header("proxy-authorization"), Some("Basic YWRhOnNlY3JldA=="));

    let own = Origin::start(Script::answer(200, "without a proxy"));
    assert_eq!(text(&client, &own.url()).await.unwrap(), "without a proxy");
    assert_eq!(
        (own.requests()[0].target.as_str(), own.requests()[0].header("proxy-authorization")),
        ("/", None)
    );
}

#[tokio::test]
async fn a_proxy_leads_to_tls_and_sees_nothing_of_it() {
    let server = Origin::start_tls(Script::answer(200, "safe"), &AUTHORITY);
    let script = Script::Proxy(server.address());
    for proxy in [Origin::start(script.clone()), Origin::start_tls(script, &AUTHORITY)] {
        let address = proxy.url().replace("://", "://ada:secret@");
        let client = client(Matcher::builder().https(address).build());
        for _ in 0..2 {
            assert_eq!(text(&client, "https://model.test/v1").await.unwrap(), "safe");
        }
        let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
        assert_eq!((request.method.as_str(), request.target.as_str()), ("CONNECT", "model.test:443"));
        assert_eq!(request.header("proxy-authorization"), Some("Basic YWRhOnNlY3JldA=="));
    }
    assert_eq!(server.requests()[0].target, "/v1");
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_fails_is_named() {
    let closed = Origin::start(Script::Silence).address();
    let refusing = Origin::start(Script::answer(403, "no"));
    for (proxy, url, expected) in [
        (
            format!("http://{closed}"),
            "http://model.test",
            "the proxy failed: cannot connect: Connection refused",
        ),
        (
            format!("http://{closed}"),
            "https://model.test",
            "the proxy failed: cannot connect: Connection refused",
        ),
        (refusing.url(), "https://model.test", "the proxy failed: "),
        (
            "socks5://127.0.0.1:1".to_owned(),
            "http://model.test",
            "the proxy failed: \"socks5://127.0.0.1:1/\" starts with neither http:// nor https://",
        ),
    ] {
        let error = text(&client(Matcher::builder().all(proxy).build()), url).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
